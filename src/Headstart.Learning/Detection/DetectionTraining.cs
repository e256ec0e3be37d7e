using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Native;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>What a detector is to be made from.</summary>
/// <param name="Categories">Their names, by index.</param>
/// <param name="Examples">To learn from.</param>
/// <param name="HeldOut">Never learned from by the head of the report; may be empty. Those with <see cref="DetectionExample.TestOnly"/>
/// come last.</param>
/// <param name="Backbones">To choose from; at least one, each best opened with one thread.</param>
/// <param name="Seed">Decides folds and draws.</param>
public sealed record DetectionTask(IReadOnlyList<string> Categories, IReadOnlyList<DetectionExample> Examples,
    IReadOnlyList<DetectionExample> HeldOut, IReadOnlyList<DetectorBackbone> Backbones, int Seed = Seed)
{
    /// <summary>Share of the usual work: less is quicker and finds less.</summary>
    public double Effort { get; init; } = 1;

    /// <summary>How long it may take: where the usual work would take longer, fewer views are read and each head learns for less long. A
    /// few seconds are needed whatever it says. Null for the usual work, which gives the same head each time.</summary>
    public TimeSpan? Limit { get; init; }

    /// <summary>Called before each image and each batch; may hold the training up for as long as the cores are needed more
    /// elsewhere.</summary>
    public Action<CancellationToken>? GiveWay { get; init; }
}

/// <summary>How far a training is.</summary>
/// <param name="Stage">What is done now.</param>
/// <param name="Share">Of the stage, 0..1.</param>
public sealed record DetectionProgress(DetectionStage Stage, double Share);

public enum DetectionStage
{
    /// <summary>Comparing backbones and resolutions.</summary>
    Choosing,

    /// <summary>Reading the images with what was chosen.</summary>
    Reading,

    /// <summary>Training the heads of the report.</summary>
    Training,

    /// <summary>Training the head that is served.</summary>
    Finishing,
}

/// <summary>A backbone and a resolution that were tried.</summary>
/// <param name="BackboneId">The backbone.</param>
/// <param name="Resolution">Pixels of the longer side.</param>
/// <param name="At50">Mean average precision on the examples kept aside for the choice, by a short training; null where it was the only
/// candidate.</param>
/// <param name="Seconds">It took.</param>
/// <param name="Chosen">Whether it was chosen.</param>
public sealed record DetectionTrial(string BackboneId, int Resolution, double? At50, double Seconds, bool Chosen);

/// <summary>What came of a training. Heads are disposed of by the caller.</summary>
/// <param name="Head">To be served: has learned from all examples, those held out included unless they are
/// <see cref="DetectionExample.TestOnly"/>.</param>
/// <param name="Evaluated">Has learned from the examples that were not held out; what <paramref name="Report"/> is about. Null where the
/// report is cross-validated.</param>
/// <param name="Report">How well it does.</param>
/// <param name="Trials">What was tried.</param>
/// <param name="Answers">What was found in each example, first the examples to learn from, then those held out: by a head that had not
/// learned from it where there is one. Null for a file that could not be read.</param>
/// <param name="Unseen">Whether the answer is by a head that had not learned from the example; the same order.</param>
/// <param name="Suspects">Labels to look at, the most suspect first; indices in the same order.</param>
/// <param name="Curve">Mean average precision at an overlap of a half with a part of the examples and with all; null where there are too
/// few, or where the time is limited.</param>
/// <param name="Seconds">By stage.</param>
public sealed record DetectionResult(DetectionHead Head, DetectionHead? Evaluated, DetectionReport Report,
    IReadOnlyList<DetectionTrial> Trials, IReadOnlyList<Detections?> Answers, IReadOnlyList<bool> Unseen,
    IReadOnlyList<SuspectedBox> Suspects, LearningCurve? Curve, IReadOnlyDictionary<DetectionStage, double> Seconds);

/// <summary>Chooses a backbone and a resolution, trains a head for them and says how good it is. Synchronous; uses all cores.</summary>
public static class DetectionTraining
{
    /// <exception cref="HeadTrainingException">There is nothing to learn from; the message says what to do.</exception>
    public static DetectionResult Train(DetectionTask task, IProgress<DetectionProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(task);
        Require(task);
        TorchRuntime.EnsureLoaded();
        return new DetectorFit(task, progress, cancel).Train();
    }

    private static void Require(DetectionTask task)
    {
        var given = task.HeldOut.SkipWhile(example => !example.TestOnly).ToList();
        ArgumentOutOfRangeException.ThrowIfNotEqual(given.Count, task.Examples.Concat(task.HeldOut).Count(example => example.TestOnly));
        Refuse(task.Categories.Count == 0, "At least one category is needed.");
        Refuse(task.Backbones.Count == 0, "There is no backbone that detectors can use; add a convolutional one such as mobilenetv2-1.0.");
        var boxes = task.Examples.Concat(task.HeldOut).SelectMany(example => example.Boxes).ToList();
        Refuse(boxes.Exists(label => label.Category < 0 || label.Category >= task.Categories.Count),
            "A box refers to a category that does not exist.");
        Refuse(boxes.Exists(label => !label.Box.IsSound), "A box has no area, or numbers that are not finite.");
        Refuse(!task.Examples.SelectMany(example => example.Boxes).Any(label => !label.Difficult),
            "There is no box to learn from; draw some on the images.");
    }

    private static void Refuse(bool condition, string sentence)
    {
        if (condition)
        {
            throw new HeadTrainingException(sentence);
        }
    }
}
