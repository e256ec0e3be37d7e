namespace Headstart.Learning;

/// <summary>
/// Every constant that decides what a training run tries, keeps and says, with the reason for its value. None of them is a setting: a run
/// that needs tuning by its user has failed.
/// </summary>
public static class TrainingDefaults
{
    // Data
    public const int MinCategories = 2;                    // one category is nothing to tell apart
    public const int MinExamples = 1;                      // of a category to learn from; its accuracy takes two that differ
    public const int MinTrainAfterSplit = 5;               // a category that would keep fewer holds none out, unless a person said which
    public const int Seed = 20_240_607;                    // folds and draws are the same in every attempt of a run
    public const double SamePicture = 0.975;               // cosine of two feature vectors: above it two pictures show the same
    public const double AlmostSamePicture = 0.9;           // the same, where the fingerprints almost agree
    public const double SameFingerprint = 0.8;             // share of equal bits
    public const double AlmostSameFingerprint = 0.965;     // cosine that fingerprints of that likeness must have beside them
    public const double SameText = 0.8;                    // share of common runs of five characters, of all different ones

    // Choice of the features
    public const int ProbeImages = 500;                    // more images no longer change the ranking
    public const int ProbeTexts = 1_000;
    public const int FewImagesToChoose = 50;               // fewer say nothing about a backbone
    public const int FewTextsToChoose = 30;                // fewer say nothing about features, and the favourite stays
    public const int FewTextsOfCategory = 5;               // in a sample of texts
    public const int FewBackbones = 3;                     // fewer are not worth dropping any after a first look
    public const int FewForThird = 15;                     // images a category on average; with more of them two backbones say as much
    public const double WeakestThird = 10;                 // points of published accuracy below the best: what is weaker is in the way
    public const int FewTrials = 4;                        // that go on after the first look
    public const int EnoughBackbones = 2;                  // with so many the built-in one is left out: it is the weakest
    public const int UsualTexts = 50;                      // fewer labels cannot feed a joined feature space
    public const double ChoiceCertainty = 2;               // standard errors by which a challenger must beat the favourite
    public const double ChoiceTolerance = 0.01;            // nats of log loss that speed may cost: about a third of a point of accuracy
    // standard errors a choice must have been away from another to be kept without a new trial
    public const double ChoiceCaution = 2;

    // Heads
    public const int MostFolds = 5;                        // the usual compromise of bias and time
    // L2, strongest first: each fit starts from the one before
    public static readonly double[] Penalties = [10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003];
    // of the covariance that is taken to be alike in all directions; few images want less of it than many
    public static readonly double[] PrototypeShares = [1, 0.7, 0.5, 0.3, 0.1];
    // the same where words say something beforehand: from next to nothing but the words to next to nothing of them
    public static readonly double[] WordPenalties = [30, 10, 3, 1, 0.3, 0.1];
    public const double FavouriteWordPenalty = 3;          // one of them
    public const double UntriedPenalty = 1;                // where there is nothing to try it on: rather not too sure
    // logits by which the own category leads on average: then the temperature is about 1, with 5 images a category as with 50
    public const double PrototypeLead = 7.5;
    public const double FavouriteShare = 0.3;              // one of them
    public const double MethodCertainty = 1;               // standard errors by which another method must beat it
    public const int MostForPrototypes = 1_000;            // examples; with more the covariance takes longer than all other fits
    public const int FewForPrototypes = 20;                // of a category, where features are mostly 0: words have no such covariance
    // of all features after scaling: the same penalty then means the same on any features
    public const double FeatureVariance = 2_000;
    public static readonly double[] HiddenPenalties = [1, 0.1, 0.01];
    public const int EnoughForHidden = 50;                 // images a category on average; with fewer a hidden layer has nothing to offer
    public const int HiddenUnits = 64;
    public const int HiddenAxes = 256;                     // principal axes that it sees; more cost time and only add noise
    public const int HiddenParts = 7;                      // one of them stops the fit early
    public const int HiddenPatience = 8;                   // iterations without a better part that is kept aside
    public const int HiddenSeed = 1;
    public const int LbfgsMemory = 10;                     // pairs; Nocedal and Wright suggest 3 to 20
    public const int LbfgsIterations = 300;                // convex fits end long before
    // largest slope left while heads are compared; with three times as much, those of 81 categories were still less sure than they end
    public const double SelectionTolerance = 1e-4;
    public const double SparseSelectionTolerance = 1e-3;   // while heads are compared
    public const double SparseTolerance = 1e-4;            // for the head that is kept
    public const int MostForSpan = 1_200;                  // examples up to which their span is faster than sparse regression

    // Calibration, thresholds and the unknown
    public const int CalibrationBins = 10;                 // as in the literature on expected calibration error
    public const double LowestTemperature = 0.05;
    public const double HighestTemperature = 20;
    public const double TemperatureSpread = 0.5;           // standard deviation of the logarithm that few examples are drawn to
    public const int TemperatureParts = 5;                 // while features are compared, each part is judged at the others' temperature
    public const int ThresholdParts = 5;                   // the threshold of a label is the median over so many parts
    public const float LowestThreshold = 0.05f;
    public const float HighestThreshold = 0.95f;
    public const double FalseAlarms = 0.05;                // share of examples of the categories that may be called unknown
    public const double AlarmConfidence = 0.85;            // that the share is no larger
    public const int MostFlawed = 100;                     // images of a flaw that a report names
    public const double CommonFlaw = 0.2;                  // a flaw of more of the images is how the data are: X-rays are dark
    public const int MostLeftOut = 10;                     // categories that take their turn at being unknown

    // Report and comparison
    // fewer held-out examples: the accuracy is cross-validated, and versions are not compared
    public const int EnoughHeldOut = 20;
    public const int BootstrapDraws = 1_000;               // of the paired difference of two versions
    public const double BootstrapTail = 0.05;              // on both sides together
    public const int ComparisonSeed = 1;
    public const int ExamplesForCurve = 5;                 // a category; with fewer there is no learning curve
    public const int CurveRepeats = 3;
    public const int CurveFoldsOfMany = 2;                 // a fit on many images takes long, and many test images need no more
    public const int ManyForCurve = 600;
    public static readonly double[] CurveShares = [0.25, 0.4, 0.6, 0.8, 1]; // of the training examples
    public const double WorthSaying = 0.005;               // an advice that promises less accuracy is not given
    public static readonly int[] AdvisedAmounts = [10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000]; // people count in round numbers
    public const int MinForOutliers = 8;                   // fewer images say nothing about what is usual
    public const double OutlierDeviations = 2.5;          // the usual moderate limit for median absolute deviations
    public const int MostSuspects = 100;                   // more than a person will check
    public const int MostHardest = 12;                     // a page
    public const int MostMistakes = 1_000;
    public const int MostConfusedPairs = 5;
    public const int MostCurves = 24;                      // categories with a precision-recall curve of their own
    public const int MostCurvePoints = 20;

    // Texts
    public const int MaxTerms = 16_384;                    // more make heads larger and hardly better
    public const int TextsForTerms = 30_000;               // so many say which terms there are
    public const int ShortestTermPiece = 3;                // characters
    public const int LongestTermPiece = 5;
    public const int MaxWords = 30_000;                    // rarer words are made of their pieces alone
    public const int ManyTokens = 20_000;                  // with so many, a word that is there once is left to its pieces
    public const int WordPieceBuckets = 1 << 15;           // fastText has two million, for a thousand times the text
    public const int ShortestWordPiece = 3;                // characters, as in fastText
    public const int LongestWordPiece = 6;
    public const double SifSmoothing = 1e-3;               // a in Arora et al. 2017
    public const double SifRare = 1e-5;                    // rarer words have all their weight
    public const int TextsForSif = 10_000;                 // so many say what texts have in common
    public const int VectorDimensions = 100;               // of the skip-gram
    public const int VectorWindow = 5;                     // words on each side, as in word2vec
    public const double FrequentWord = 1e-3;               // more frequent words are thinned, as in word2vec
    public const int NoiseWords = 128;                     // that a lesson shares
    public const float NoiseShare = 5;                     // that a pair meets, on average
    public const long VectorWork = 2_000_000;              // centre words altogether: what a short corpus is repeated for
    public const int VectorPasses = 40;                    // at most
    public const int LessonWords = 1_024;                  // centre words a lesson
    public const int MaxSentenceTokens = 256;              // more are beyond what sentence networks were trained with
    public const int RememberedTexts = 24_000;             // vectors of a sentence network, all that a run reads: 75 MB
    public const int TextsForCentre = 1_000;               // so many say what the vectors of all texts have in common
    // labelled texts: two minutes of a sentence network, and with more of them words do as well
    public const int MostForSentences = 20_000;
    public const int ExplainedWords = 200;                 // the first of the text

    // Detection: what is tried
    public const int MinImagesWithBoxes = 5;               // fewer show nothing but themselves
    // pixels of the longer side, multiples of 32; at the smallest one large objects look as in the pictures that backbones learned from
    public static readonly int[] Resolutions = [224, 320, 480, 640];
    public const int HighestResolution = 1_280;
    public const float SmallestObject = 28;                // pixels that half of a category's objects are to have across
    public const int FewImagesToTry = 12;                  // fewer say nothing about a backbone
    public const int ResolutionOfTrial = 320;              // at most: what tells backbones apart shows there
    public const int ImagesOfTrial = 60;
    public const int ViewsOfTrial = 2;                     // of an image
    public const int StepsOfTrial = 200;                   // twice as many for the two best
    public const int FoldsOfReport = 3;                    // where too few are held out each image is answered by two thirds of the others
    public const int FoldsOfCalibration = 5;               // where enough are, one fifth says what scores mean

    // Detection: what is seen
    public const double SmallestView = 0.6;                // of the resolution
    public const double LargestView = 1.5;
    public const double MosaicShare = 0.3;                 // of the views: objects in other surroundings
    public const double MosaicScale = 0.6;                 // a quarter of the canvas each, so smaller
    public const double LightSpread = 0.3;                 // of the logarithm of the brightness
    public const double ColourSpread = 0.1;                // the same of each colour
    public const float EnoughSeen = 0.4f;                  // of an object that is cut off: less is neither to be found nor wrong
    public const int MostPlaces = 4_000_000;               // of all views together, 232 bytes each: 0.9 GB, and the backbone's time
    public const int FewestViews = 2;                      // of an image
    public const int MostViewsOfImage = 12;                // more are too much alike
    public const int EnoughViews = 800;                    // of all images: of few images more views of each are better than fewer steps
    public const int DecodedAtOnce = 64;                   // images: 100 MB at 640 pixels
    public const int ImagesForProjection = 40;             // so many show which channels vary
    public const int PlacesForProjection = 20_000;
    public static readonly int[] KeptChannels = [96, 160, 256]; // by stride

    // Detection: the head and its training
    public const int HeadWidth = 64;                       // channels; a multiple of 16, which vectors have
    public const int BlockKernel = 5;                      // places along each side: a block must see the ends of large objects
    public const int SharedBlocks = 1;
    public const int BranchBlocks = 1;
    public const float LeastSquare = 1e-3f;                // added to the mean square that a place is divided by: nothing stays nothing
    public const float FirstLogit = -4.6f;                 // 1 %: nearly all places are background (RetinaNet)
    public const float FirstSide = 1.1f;                   // three strides
    public const float LongestSide = 7;                    // logarithm of strides
    public const int PlacesOfObject = 10;                  // as in YOLOv8
    public const float SmallestReach = 0.75f;              // strides
    public const float LeastTarget = 0.05f;                // a place that answers for an object is never background
    public const float BoxWeight = 2;                      // as in generalised focal loss
    public const float LongestGradient = 10;               // rarely reached; keeps one strange batch from spoiling all
    public const float AverageDecay = 0.995f;              // of the parameters: remembers some hundred steps
    public const float DetectionDecay = 0.02f;             // of the weights a unit of rate
    public const int BatchViews = 4;                      // half as many learned as much in two thirds of the time
    public const float HighestRate = 0.01f;               // at half and at twice as much it finds less
    public const float WarmUp = 0.05f;                     // share of the steps
    public const int PassesOfViews = 12;
    public const int FewestSteps = 700;
    public const int MostWork = 45_000_000;                // places of all views that are learned from in a run: four minutes of one core
    public const int FewToGoOn = 66;                       // images: where there are no more, each head learns from the beginning
    public const double GoingOn = 0.35;                    // of a training, for a head that goes on with more examples
    // a rate as at the beginning forgets where boxes end, and too few steps follow to learn it again
    public const float RateOfGoingOn = HighestRate / 5;
    public const double CurvePart = 0.5;                   // of the images, for the learning curve
    public const double ShareOfCurve = 0.5;                // of a training: so each of them is seen as often
    public const double ShareOfChoice = 0.2;               // of a run's limit
    public const double ShareOfReading = 0.35;             // of what is left then
    public const double ShareOfTraining = 0.85;            // of what is left then; the rest is for answers and the report

    // Detection: answers and report
    public const int MostObjects = 100;                    // an image, as COCO counts
    public static readonly float[] SameObject = [0.4f, 0.3f, 0.5f]; // overlaps of two boxes of one object that are tried
    public const float AgreeingBox = 0.5f;                 // overlap of boxes that make one together
    public const float LeastLogit = -4.6f;                 // 1 %: answers below say nothing
    public const float UntriedThreshold = 0.5f;            // of a category that nothing was found of
    public const double SlopeSpread = 0.5;                 // standard deviations that few answers are drawn to
    public const double InterceptSpread = 2;
    public const int DetectionDrawWork = 2_000_000;        // images times categories of all draws of an interval
    public const int FewestDraws = 100;
    public const double SmallSide = 1 / 16.0;              // of the image's longer side: 40 pixels of 640
    public const double LargeSide = 0.25;
    public const float SureToSuspect = 0.5f;               // of an answer that contradicts a label
    public const float SloppyFrom = 0.3f;                  // overlap of an answer and a box that is about the same object
    public const float SloppyTo = 0.6f;                    // and fits badly
    public const float EmptyBelow = 0.05f;                 // probability of all answers at a box
}
