namespace Headstart.Learning;

/// <summary>All constants that decide what a training run tries, keeps and reports, with the reasons for their values. None of them is a
/// setting: users should never have to tune a run.</summary>
public static class TrainingDefaults
{
    // Data
    public const int MinCategories = 2;                    // one category leaves nothing to decide
    public const int MinExamples = 1;                      // per category, to learn from; measuring its accuracy takes two that differ
    public const int MinTrainAfterSplit = 5;               // a category that would keep fewer holds none out, unless the user assigned them
    public const int Seed = 20_240_607;                    // the same folds and draws in every attempt of a run
    public const double SamePicture = 0.975;               // likeness of two fingerprints above which two images show the same
    public const double AlmostSamePicture = 0.9;           // likeness that suffices if their features are almost the same
    public const double SimilarFeatures = 0.8;             // cosine of two feature vectors from which fingerprints are compared
    public const double AlmostSameFeatures = 0.965;        // cosine from which features count as almost the same
    public const double SameText = 0.8;                    // five-character sequences in common, as a share of all distinct ones

    // Choice of the features
    public const int ProbeImages = 500;                    // more images no longer change the ranking
    public const int ProbeTexts = 1_000;
    public const int FewImagesToChoose = 50;               // fewer tell nothing about a backbone
    public const int FewTextsToChoose = 30;                // fewer tell nothing about features, and the favourite stays
    public const int FewTextsOfCategory = 5;               // kept per category in a sample of texts
    public const int FewBackbones = 3;                     // with fewer, none is dropped after the first look
    public const int FewForThird = 15;                     // images per category; with more, a third backbone adds nothing
    public const double WeakestThird = 10;                 // points of published accuracy below the best; a weaker third does harm
    public const int FewTrials = 4;                        // that survive the first look
    public const int EnoughBackbones = 2;                  // with this many others the built-in one, the weakest, is left out
    public const int UsualTexts = 50;                      // fewer labels are too few for joined features
    public const double ChoiceCertainty = 2;               // standard errors by which a challenger must beat the favourite
    public const double ChoiceTolerance = 0.01;            // nats of log loss that speed may cost: about a third of a point of accuracy
    // standard errors between an earlier choice and another that keep the earlier one without a new trial
    public const double ChoiceCaution = 2;

    // Heads
    public const int MostFolds = 5;                        // the usual compromise between bias and time
    // L2, strongest first: each fit starts from the previous one
    public static readonly double[] Penalties = [10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003];
    public const int WorseToEnd = 2;                       // penalties in a row after which weaker ones are not tried
    public const int EnoughToEnd = 50;                     // images in a fold: with ten, the path ended by chance and weak penalties won
    // shrinkage of the covariance towards a multiple of the identity; many images need less of it than few
    public static readonly double[] PrototypeShares = [1, 0.7, 0.5, 0.3, 0.1];
    // L2 around the prior of the words, from almost only the words to almost none of them
    public static readonly double[] WordPenalties = [30, 10, 3, 1, 0.3, 0.1];
    public const double FavouriteWordPenalty = 3;          // one of WordPenalties
    public const double UntriedPenalty = 1;                // when there is nothing to validate on: rather too cautious
    // mean lead in logits of the correct category: the temperature is then about 1, with 5 images per category as with 50
    public const double PrototypeLead = 7.5;
    public const double FavouriteShare = 0.3;              // one of PrototypeShares
    public const double MethodCertainty = 1;               // standard errors by which a method must beat the favourite
    public const int MostForPrototypes = 1_000;            // examples; with more the covariance takes longer than all other fits
    public const int FewForPrototypes = 20;                // per category, for sparse features: words have no such covariance
    // total variance of the features after scaling, so that a penalty means the same for any features
    public const double FeatureVariance = 2_000;
    public static readonly double[] HiddenPenalties = [1, 0.1, 0.01];
    public const int EnoughForHidden = 50;                 // images per category on average; with fewer a hidden layer gains nothing
    public const int HiddenUnits = 64;
    public const int HiddenAxes = 256;                     // principal axes used as input; more cost time and only add noise
    public const int HiddenParts = 7;                      // one of them stops the fit early
    public const int HiddenPatience = 8;                   // iterations without improvement on the part held out
    public const int HiddenSeed = 1;
    public const int LbfgsMemory = 10;                     // pairs; Nocedal and Wright suggest 3 to 20
    public const int LbfgsIterations = 300;                // convex fits converge long before
    // largest gradient component while heads are compared; at 3e-4 heads of 81 categories were still less confident than when converged
    public const double SelectionTolerance = 1e-4;
    public const double SparseSelectionTolerance = 1e-3;   // while heads are compared
    public const double SparseTolerance = 1e-4;            // for the head that is kept
    public const int MostForSpan = 1_200;                  // examples up to which their span is faster than sparse regression

    // Calibration, thresholds and the unknown
    public const int CalibrationBins = 10;                 // as in the literature on expected calibration error
    public const double LowestTemperature = 0.05;
    public const double HighestTemperature = 20;
    public const double TemperatureSpread = 0.5;           // standard deviation of the prior on its logarithm
    public const int TemperatureParts = 5;                 // while features are compared, each part uses the temperature of the others
    public const int ThresholdParts = 5;                   // each part is answered with the thresholds of the others
    public const float LowestThreshold = 0.05f;
    public const float HighestThreshold = 0.95f;
    public const double FalseAlarms = 0.05;                // share of examples of the categories that may be called unknown
    public const double AlarmConfidence = 0.85;            // confidence that the share is no larger
    public const int MostFlawed = 100;                     // images that a report names for each flaw
    public const double CommonFlaw = 0.2;                  // a more common flaw is a property of the data: X-rays are dark
    public const int MostLeftOut = 10;                     // categories that take turns at being unknown

    // Report and comparison
    // with fewer held-out examples the accuracy is cross-validated and versions are not compared
    public const int EnoughHeldOut = 20;
    public const int BootstrapDraws = 1_000;               // of the paired difference between two versions
    public const double BootstrapTail = 0.05;              // both sides together
    public const int ComparisonSeed = 1;
    public const int ExamplesForCurve = 5;                 // per category; with fewer there is no learning curve
    public const int CurveRepeats = 3;
    public const int CurveFoldsOfMany = 2;                 // fits on many images take long, and many test images need fewer folds
    public const int ManyForCurve = 600;
    public static readonly double[] CurveShares = [0.25, 0.4, 0.6, 0.8, 1]; // of the training examples
    public const double WorthSaying = 0.005;               // advice that promises less accuracy is not given
    public static readonly int[] AdvisedAmounts = [10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000]; // round numbers
    public const int MinForOutliers = 8;                   // fewer images do not show what is usual
    public const double OutlierDeviations = 2.5;          // the usual moderate limit for median absolute deviations
    public const int MostSuspects = 100;                   // more than a person will check
    public const int MostHardest = 12;                     // one page
    public const int MostMistakes = 1_000;
    public const int MostConfusedPairs = 5;
    public const int MostCurves = 24;                      // categories with a precision-recall curve of their own
    public const int MostCurvePoints = 20;

    // Texts
    public const int MaxTerms = 16_384;                    // more make heads larger and hardly better
    public const int TextsForTerms = 30_000;               // enough to find the terms
    public const int ShortestTermPiece = 3;                // characters
    public const int LongestTermPiece = 5;
    public const int MaxWords = 30_000;                    // rarer words are built from their pieces only
    public const int ManyTokens = 20_000;                  // with so many, words that occur once are left to their pieces
    public const int NGramBuckets = 1 << 15;               // fastText has two million, for a thousand times the text
    public const int ShortestNGram = 3;                    // characters, as in fastText
    public const int LongestNGram = 6;
    public const double SifSmoothing = 1e-3;               // a in Arora et al. 2017
    public const double SifRare = 1e-5;                    // rarer words have full weight
    public const int TextsForSif = 10_000;                 // enough to find what all texts share
    public const int VectorDimensions = 100;               // of the skip-gram
    public const int VectorWindow = 5;                     // words on each side, as in word2vec
    public const double FrequentWord = 1e-3;               // as in word2vec: more frequent words are thinned out
    public const int NoiseWords = 128;                     // shared by the pairs of a lesson
    public const float NoiseShare = 5;                     // noise words per pair, on average
    public const long VectorWork = 2_000_000;              // centre words in total; short corpora are repeated up to it
    public const int VectorPasses = 40;                    // at most
    public const int LessonWords = 1_024;                  // centre words per lesson
    public const int MaxSentenceTokens = 256;              // sentence networks were trained on no more
    public const int RememberedTexts = 24_000;             // sentence vectors kept in memory, all that a run reads: 75 MB
    public const int TextsForCentre = 1_000;               // enough to find the mean of all texts
    public const double NegligibleTextMs = 1;              // features of texts that take less count as equally fast
    public const int PrincipalAxes = 1_024;                // all of the usual networks
    // labelled texts: two minutes of a sentence network; with more, words do as well
    public const int MostForSentences = 20_000;
    public const int ExplainedWords = 200;                 // the first ones of a text

    // Detection: backbone, resolution and folds
    public const int MinImagesWithBoxes = 5;               // fewer do not generalise
    // longer side in pixels, multiples of 32; at the smallest, large objects look as in the images that backbones were trained on
    public static readonly int[] Resolutions = [224, 320, 480, 640];
    public const int HighestResolution = 1_280;
    public const float SmallestObject = 28;                // pixels: half of each category's objects should be at least this large
    public const int FewImagesToTry = 12;                  // with fewer, no backbones are compared
    public const int ResolutionOfTrial = 320;              // at most; enough to tell backbones apart
    public const int ImagesOfTrial = 60;
    public const int ViewsOfTrial = 2;                     // per image
    public const int StepsOfTrial = 200;                   // twice as many for the best two backbones
    public const int FoldsOfReport = 3;                    // without enough held-out images: each head learns from two thirds
    public const int FoldsOfCalibration = 5;               // with enough held-out images: one fifth is kept for calibration

    // Detection: views
    public const double SmallestView = 0.6;                // relative to the resolution
    public const double LargestView = 1.5;
    public const double MosaicShare = 0.3;                 // of the views; shows objects in other surroundings
    public const double MosaicScale = 0.6;                 // smaller, since each image has about a quarter of the canvas
    public const double LightSpread = 0.3;                 // of the logarithm of the brightness, in both directions
    public const double ColourSpread = 0.1;                // the same for each colour channel
    public const float EnoughSeen = 0.4f;                  // visible share of a cut-off object; below it the object is ignored
    public const int MostPlaces = 4_000_000;               // of all views together, 232 bytes each: limits memory (0.9 GB) and time
    public const int FewestViews = 2;                      // per image
    public const int MostViewsOfImage = 12;                // per image; more are too similar
    public const int EnoughViews = 800;                    // in total: with few images, more views of each are better than fewer steps
    public const int DecodedAtOnce = 64;                   // images: 100 MB at 640 pixels
    public const int ImagesForProjection = 40;             // enough to find the principal directions
    public const int PlacesForProjection = 20_000;
    public static readonly int[] KeptChannels = [96, 160, 256]; // by stride

    // Detection: head and training
    public const int HeadWidth = 64;                       // channels; a multiple of the 16 lanes of a vector
    public const int BlockKernel = 5;                      // places along each side; large enough to see the ends of large objects
    public const int SharedBlocks = 1;
    public const int BranchBlocks = 1;
    public const float LeastSquare = 1e-3f;                // added to a place's mean square before dividing: zeros stay zeros
    public const float FirstLogit = -4.6f;                 // initial bias, 1 %: nearly all places are background (RetinaNet)
    public const float FirstSide = 1.1f;                   // initial bias, a logarithm: three strides
    public const float LongestSide = 7;                    // logarithm of strides; limits predicted distances
    public const int PlacesOfObject = 10;                  // assigned at most, as in YOLOv8
    public const float SmallestReach = 0.75f;              // strides from the centre within which even tiny objects get places
    public const float LeastTarget = 0.05f;                // a place assigned to an object is never background
    public const float BoxWeight = 2;                      // of the box loss, as in generalised focal loss
    public const float LongestGradient = 10;               // norm; rarely reached, keeps one odd batch from spoiling the head
    public const float AverageDecay = 0.995f;              // moving average of the parameters over a few hundred steps
    public const float DetectionDecay = 0.02f;             // AdamW's weight decay, times the learning rate
    public const int BatchViews = 4;                      // instead of 8: as accurate in two thirds of the time
    public const float HighestRate = 0.01f;               // half and twice as much were both less accurate
    public const float WarmUp = 0.05f;                     // share of the training
    public const int PassesOfViews = 12;
    public const int FewestSteps = 700;
    public const int MostWork = 45_000_000;                // places processed in a run, over all steps: four minutes of one core
    public const int FewToGoOn = 66;                       // images; with no more than these, each head is trained from scratch
    public const double GoingOn = 0.35;                    // share of a full training for fine-tuning with more examples
    // fine-tuning at the full rate forgets where boxes end, and has too few steps to relearn it
    public const float RateOfGoingOn = HighestRate / 5;
    public const double CurvePart = 0.5;                   // of the images, for the learning curve's first point
    public const double ShareOfCurve = 0.5;                // of a full training, so that each image is seen as often
    public const double ShareOfChoice = 0.2;               // of a run's time limit
    public const double ShareOfReading = 0.35;             // of the time left after that
    public const double ShareOfTraining = 0.85;            // of the time left after that; the rest is for answers and the report

    // Detection: answers and report
    public const int MostObjects = 100;                    // per image, as in COCO
    public static readonly float[] SameObject = [0.4f, 0.3f, 0.5f]; // candidates: above this overlap two boxes are one object
    public const float AgreeingBox = 0.5f;                 // overlap above which boxes are averaged
    public const float LeastLogit = -4.6f;                 // 1 %: answers below are dropped
    public const float UntriedThreshold = 0.5f;            // of a category without a right answer
    public const double SlopeSpread = 0.5;                 // standard deviations of the calibration's priors
    public const double InterceptSpread = 2;
    public const int DetectionDrawWork = 2_000_000;        // images times categories times draws of an interval
    public const int FewestDraws = 100;
    public const double SmallSide = 1 / 16.0;              // of the image's longer side: 40 of 640 pixels
    public const double LargeSide = 0.25;
    public const float SureToSuspect = 0.5f;               // lowest probability of an answer that contradicts a label
    public const float SloppyFrom = 0.3f;                  // an answer and a box with an overlap between these two
    public const float SloppyTo = 0.6f;                    // are about the same object, but the box fits badly
    public const float EmptyBelow = 0.05f;                 // probability of all answers at a box without an object
}
