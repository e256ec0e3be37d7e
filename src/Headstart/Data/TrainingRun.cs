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

/// <summary>One attempt to make a version. See <c>TrainingJob</c>.</summary>
public sealed class TrainingRun
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

    /// <summary>What the run is waiting for, as a sentence: for example a download.</summary>
    public string? Detail { get; set; }

    /// <summary>Problems that did not end the run, as sentences.</summary>
    public List<string> Notices { get; set; } = [];

    /// <summary>A backbone's id, or null for the automatic choice.</summary>
    public string? Backbone { get; init; }

    public double? MaxLatencyMs { get; init; }

    public double? MaxTrainingSeconds { get; init; }

    public string? IdempotencyKey { get; init; }

    /// <summary>True once <see cref="RunExample"/> rows say what this run learns from; a second start uses the same.</summary>
    public bool DatasetFrozen { get; set; }

    public required DateTime CreatedAt { get; init; }

    public DateTime? FinishedAt { get; set; }
}

/// <summary>A backbone, or a recipe of several, that was tried: cross-validated accuracy of a head on it, and what it costs on this
/// host.</summary>
/// <param name="Id">A backbone's id; two of them joined with <c>+</c>; with <c>@stride16</c> behind it an inner stage of it; in a
/// detection model with <c>@416</c> behind it, read at so many pixels of the longer side.</param>
/// <param name="LogLoss">Cross-validated; what the choice compares, and smaller is better. See <c>Reports.ChoiceReport</c>.</param>
/// <param name="Images">How many images it was tried on; those that did worst on a small part are not tried on more.</param>
public sealed record BackboneTrial(string Id, double? Accuracy, double? StandardError, double MsPerImage, bool Chosen,
    double? LogLoss = null, int Images = 0);

/// <summary>An image as the run saw it when it froze its dataset: deleting or moving images later changes nothing for it.</summary>
public sealed class RunExample
{
    public required Guid RunId { get; init; }

    public required Guid ExampleId { get; init; }

    public required byte[] Sha256 { get; init; }

    /// <summary>Their names, by ordinal.</summary>
    public required List<string> Categories { get; init; }

    /// <summary>In a detection model a JSON list of <see cref="FrozenBox"/>; else null.</summary>
    public string? Boxes { get; init; }

    /// <summary>Once the run has made a version: train for everything that its evaluated head learned from.</summary>
    public required Split Split { get; init; }

    /// <summary>See <see cref="Example.SplitGiven"/>.</summary>
    public required bool SplitGiven { get; init; }
}

/// <summary>A box as the run saw it; see <see cref="ExampleBox"/>.</summary>
public sealed record FrozenBox(string Category, float X, float Y, float Width, float Height, bool Difficult)
{
    /// <summary>Those of an example in a detection model.</summary>
    public static IReadOnlyList<FrozenBox> Of(RunExample example) => JsonSerializer.Deserialize<List<FrozenBox>>(example.Boxes!)!;
}
