using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Native;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>The input of a training.</summary>
/// <param name="Categories">Category names, by index.</param>
/// <param name="Examples">Examples to learn from.</param>
/// <param name="HeldOut">Examples that the reported head does not learn from; may be empty. Those with
/// <see cref="DetectionExample.TestOnly"/> come last.</param>
/// <param name="Backbones">Candidates; at least one, each best opened with one thread.</param>
/// <param name="Seed">Seed of the folds and of all random draws.</param>
public sealed record DetectionTask(IReadOnlyList<string> Categories, IReadOnlyList<DetectionExample> Examples,
    IReadOnlyList<DetectionExample> HeldOut, IReadOnlyList<DetectorBackbone> Backbones, int Seed = Seed)
{
    /// <summary>Share of the usual work: below 1 is faster but less accurate.</summary>
    public double Effort { get; init; } = 1;

    /// <summary>Time limit. If the usual work would take longer, fewer views are read and each head trains for less time; a few seconds are
    /// always needed. Null: no limit, and the same head each time.</summary>
    public TimeSpan? Limit { get; init; }

    /// <summary>Called before each image and each batch; may block while more urgent work needs the cores.</summary>
    public Action<CancellationToken>? GiveWay { get; init; }
}

/// <summary>Progress of a training.</summary>
/// <param name="Stage">Current stage.</param>
/// <param name="Share">Share of the stage that is done, 0..1.</param>
public sealed record DetectionProgress(DetectionStage Stage, double Share);

public enum DetectionStage
{
    /// <summary>Comparing backbones and resolutions.</summary>
    Choosing,

    /// <summary>Reading the images with the chosen backbone and resolution.</summary>
    Reading,

    /// <summary>Training the heads for cross-validation or calibration, and for the learning curve.</summary>
    Training,

    /// <summary>Training the evaluated and the served head.</summary>
    Finishing,
}

/// <summary>A backbone and a resolution that were considered.</summary>
/// <param name="BackboneId">Id of the backbone.</param>
/// <param name="Resolution">Longer side in pixels.</param>
/// <param name="At50">Mean average precision of a short training on the fold kept aside; null if no training was done with these.</param>
/// <param name="Seconds">Duration of the trial.</param>
/// <param name="Chosen">Whether the heads use these.</param>
public sealed record DetectionTrial(string BackboneId, int Resolution, double? At50, double Seconds, bool Chosen);

/// <summary>The result of a training. The caller disposes of the heads.</summary>
/// <param name="Head">The head to serve: learned from all examples, including held-out ones unless they are
/// <see cref="DetectionExample.TestOnly"/>.</param>
/// <param name="Evaluated">The head that <paramref name="Report"/> is about: learned from the examples that were not held out. Null if the
/// report is cross-validated.</param>
/// <param name="Report">Accuracy.</param>
/// <param name="Trials">Backbones and resolutions that were considered.</param>
/// <param name="Answers">Objects found in each example, examples to learn from first, then held-out ones; by a head that did not learn
/// from the example if there is one. Null for a file that could not be read.</param>
/// <param name="Unseen">Whether the answer is by a head that did not learn from the example; in the order of the answers.</param>
/// <param name="Suspects">Labels to review, most suspect first; example indices are those of the answers.</param>
/// <param name="Curve">Mean average precision at an overlap of 0.5 with part of the examples and with all; null if there are too few
/// examples, or with a time limit.</param>
/// <param name="Seconds">Duration of each stage.</param>
public sealed record DetectionResult(DetectionHead Head, DetectionHead? Evaluated, DetectionReport Report,
    IReadOnlyList<DetectionTrial> Trials, IReadOnlyList<Detections?> Answers, IReadOnlyList<bool> Unseen,
    IReadOnlyList<SuspectedBox> Suspects, LearningCurve? Curve, IReadOnlyDictionary<DetectionStage, double> Seconds);

/// <summary>Chooses a backbone and a resolution, trains a head for them and evaluates it. Synchronous; uses all cores.</summary>
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
