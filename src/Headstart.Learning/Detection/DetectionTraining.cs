using Headstart.Learning.Heads;

namespace Headstart.Learning.Detection;

/// <summary>What a detector is to be made from.</summary>
/// <param name="Categories">Their names, by index.</param>
/// <param name="Examples">To learn from.</param>
/// <param name="HeldOut">Never learned from by the head of the report; may be empty.</param>
/// <param name="Backbones">To choose from; at least one.</param>
/// <param name="Seed">Decides folds and draws.</param>
public sealed record DetectionTask(IReadOnlyList<string> Categories, IReadOnlyList<DetectionExample> Examples,
    IReadOnlyList<DetectionExample> HeldOut, IReadOnlyList<DetectorBackbone> Backbones, int Seed = TrainingDefaults.Seed);

/// <summary>How far a training is.</summary>
/// <param name="Stage">What is done now.</param>
/// <param name="Share">Of the whole, 0..1.</param>
public sealed record DetectionProgress(DetectionStage Stage, double Share);

public enum DetectionStage
{
    Choosing,
    Training,
    Evaluating,
}

/// <summary>A backbone and a resolution that were tried.</summary>
/// <param name="BackboneId">The backbone.</param>
/// <param name="Resolution">Pixels of the longer side.</param>
/// <param name="At50">Mean average precision on the examples kept aside for the choice, by a short training.</param>
/// <param name="Seconds">It took.</param>
/// <param name="Chosen">Whether it was chosen.</param>
public sealed record DetectionTrial(string BackboneId, int Resolution, double At50, double Seconds, bool Chosen);

/// <summary>What came of a training. Heads are disposed of by the caller.</summary>
/// <param name="Head">To be served: has learned from all examples, those held out included.</param>
/// <param name="Evaluated">Has learned from the examples that were not held out; what <paramref name="Report"/> is about. Null where the
/// report is cross-validated.</param>
/// <param name="Report">How well it does.</param>
/// <param name="Trials">What was tried.</param>
/// <param name="Answers">What was found in each example, first the examples to learn from, then those held out: by a head that had not
/// learned from it where there was one, else by <paramref name="Evaluated"/>. Null for a file that could not be read.</param>
/// <param name="Unseen">Whether the answer is by a head that had not learned from the example; the same order.</param>
/// <param name="Suspects">Labels to look at, the most suspect first; indices in the same order.</param>
/// <param name="Seconds">By stage.</param>
public sealed record DetectionResult(DetectionHead Head, DetectionHead? Evaluated, DetectionReport Report,
    IReadOnlyList<DetectionTrial> Trials, IReadOnlyList<Detections?> Answers, IReadOnlyList<bool> Unseen,
    IReadOnlyList<SuspectedBox> Suspects, IReadOnlyDictionary<DetectionStage, double> Seconds);

/// <summary>Chooses a backbone and a resolution, trains a head for them and says how good it is. Synchronous; uses all cores.</summary>
public static class DetectionTraining
{
    /// <exception cref="HeadTrainingException">There is nothing to learn from; the message says what to do.</exception>
    public static DetectionResult Train(DetectionTask task, IProgress<DetectionProgress>? progress, CancellationToken cancel) =>
        throw new NotImplementedException();
}
