using System.Text.Json;

namespace Headstart.Data;

public enum RunStage
{
    Choosing,
    Extracting,
    Training,
    Evaluating,
    Publishing,
}

/// <summary>An attempt to make a version. See <c>TrainingJob</c>.</summary>
public sealed class TrainingRun : IJobRow
{
    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    public required JobState State { get; set; }

    public RunStage? Stage { get; set; }

    /// <summary>0 to 1.</summary>
    public double Progress { get; set; }

    public double? SecondsLeft { get; set; }

    public int? Version { get; set; }

    public string? Error { get; set; }

    public List<BackboneTrial> Backbones { get; set; } = [];

    /// <summary>What the run is waiting for, as a sentence, for example a download.</summary>
    public string? Detail { get; set; }

    /// <summary>Problems that did not end the run, as sentences.</summary>
    public List<string> Notices { get; set; } = [];

    /// <summary>A backbone's id, or null for the automatic choice.</summary>
    public string? Backbone { get; init; }

    public double? MaxLatencyMs { get; init; }

    public double? MaxTrainingSeconds { get; init; }

    public string? IdempotencyKey { get; init; }

    /// <summary>Whether <see cref="RunExample"/> rows list what this run learns from; a second start uses the same rows.</summary>
    public bool DatasetFrozen { get; set; }

    public required DateTime CreatedAt { get; init; }

    public DateTime? FinishedAt { get; set; }
}

/// <summary>A backbone or recipe that was tried: cross-validated accuracy of a head on it, and its costs on this
/// host.</summary>
/// <param name="Id">Id of a backbone; two ids joined with <c>+</c>; with <c>@stride16</c> appended, an inner stage of it; in a detection
/// model with <c>@480</c> appended, the longer side of its input in pixels.</param>
/// <param name="LogLoss">Cross-validated; the choice compares it, and smaller is better. See <c>Reports.ChoiceReport</c>.</param>
/// <param name="Images">Number of images it was tried on; the worst on a small sample are not tried on more.</param>
public sealed record BackboneTrial(string Id, double? Accuracy, double? StandardError, double MsPerImage, bool Chosen,
    double? LogLoss = null, int Images = 0);

/// <summary>An example as it was when the run froze its dataset: later changes do not affect the run.</summary>
public sealed class RunExample
{
    public required Guid RunId { get; init; }

    public required Guid ExampleId { get; init; }

    public required byte[] Sha256 { get; init; }

    /// <summary>Names of its categories, in ordinal order.</summary>
    public required List<string> Categories { get; init; }

    /// <summary>In a detection model a JSON list of <see cref="FrozenBox"/>; otherwise null.</summary>
    public string? Boxes { get; init; }

    /// <summary>After the run has made a version: train for everything that its evaluated head learned from.</summary>
    public required Split Split { get; init; }

    /// <summary>See <see cref="Example.SplitGiven"/>.</summary>
    public required bool SplitGiven { get; init; }
}

/// <summary>A box as it was when the run froze its dataset; see <see cref="ExampleBox"/>.</summary>
public sealed record FrozenBox(string Category, float X, float Y, float Width, float Height, bool Difficult)
{
    /// <summary>The boxes of an example in a detection model.</summary>
    public static IReadOnlyList<FrozenBox> Of(RunExample example) => JsonSerializer.Deserialize<List<FrozenBox>>(example.Boxes!)!;
}
