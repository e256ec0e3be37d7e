using System.Text.Json.Serialization;

namespace Headstart.Client;

// The parts of the OpenAPI document's schemas that this client reads, by the same names; a test compares them.

public enum ModelKind
{
    ImageClassification,
    MultiLabelImageClassification,
    TextClassification,
    ObjectDetection,
}

public enum ModelState
{
    Empty,
    Collecting,
    Ready,
    Training,
    Trained,
}

public enum JobState
{
    Queued,
    Running,
    Reviewing,
    Succeeded,
    Failed,
    Cancelled,
}

public enum RunStage
{
    Choosing,
    Extracting,
    Training,
    Evaluating,
    Publishing,
}

public sealed record Category(string Name, int ImageCount);

public sealed record NewModelRequest(string Name, ModelKind Kind = ModelKind.ImageClassification, IReadOnlyList<string>? Categories = null);

public sealed record Model(
    Guid Id, string Name, ModelKind Kind, ModelState State, IReadOnlyList<Category> Categories, int? PublishedVersion, DateTime CreatedAt);

public sealed record PageOfModel(IReadOnlyList<Model> Items, string? Next);

public sealed record Image(Guid Id, string? Category, IReadOnlyList<string> Categories, string FileName, string Sha256, int Width,
    int Height);

public sealed record RejectedFile(string? FileName, string Reason, string Detail);

/// <summary>An import and its progress.</summary>
public sealed record ImportProgress(Guid Id, Guid ModelId, JobState State, int Total, int Accepted, IReadOnlyList<string> Notices,
    string? Error)
{
    /// <summary>Whether the import is queued or running.</summary>
    internal bool IsUnderWay() => State is JobState.Queued or JobState.Running;
}

/// <summary>A file that an import did not take.</summary>
public sealed record Rejection(int Position, string FileName, string Reason, string Detail);

public sealed record PageOfRejection(IReadOnlyList<Rejection> Items, string? Next);

/// <param name="Accepted">Includes images that the model already had.</param>
/// <param name="Rejected">Rejected files, each with the reason.</param>
public sealed record Upload(IReadOnlyList<Image> Accepted, IReadOnlyList<RejectedFile> Rejected);

public sealed record NewRunRequest(string? Backbone = null, double? MaxLatencyMs = null, double? MaxTrainingSeconds = null);

/// <param name="Progress">0 to 1.</param>
/// <param name="Detail">What the run is waiting for.</param>
/// <param name="Notices">Problems that did not end the run.</param>
public sealed record Run(
    Guid Id, Guid ModelId, JobState State, RunStage? Stage, double Progress, double? SecondsLeft, int? Version, string? Error,
    string? Detail, IReadOnlyList<string> Notices)
{
    /// <summary>Whether the run is queued or running.</summary>
    internal bool IsUnderWay() => State is JobState.Queued or JobState.Running;
}

public sealed record PageOfRun(IReadOnlyList<Run> Items, string? Next);

/// <param name="Accuracy">null if the examples cannot tell, like its interval.</param>
/// <param name="AccuracyInterval">95 %: low, high.</param>
public sealed record Version(int Number, Guid RunId, string Backbone, double? Accuracy, IReadOnlyList<double>? AccuracyInterval,
    bool Published);

public sealed record AdviceReport(string Category, int Images, double Gain, string Sentence);

/// <param name="Sentence">The accuracy, its certainty and what would improve it most.</param>
public sealed record Report(string Sentence, double? Accuracy, IReadOnlyList<double>? AccuracyInterval, AdviceReport? Advice);

/// <param name="Applies">In a multi-label model, whether the label applies; otherwise null.</param>
public sealed record Label([property: JsonPropertyName("label")] string Name, double Probability, bool? Applies);

/// <summary>A box in pixels of the upright image.</summary>
public sealed record PixelBox(int X, int Y, int Width, int Height);

/// <summary>An object that was found in an image.</summary>
public sealed record PredictedObject(string Label, double Probability, PixelBox Pixels);

/// <param name="Labels">The labels by descending probability; none in a model that finds objects.</param>
/// <param name="Unknown">Whether the image resembles none of the categories; null if the file could not be read.</param>
/// <param name="Error">Why the file could not be read.</param>
/// <param name="Objects">In a model that finds objects, what was found, the most probable first; otherwise null.</param>
public sealed record FilePrediction(string? FileName, IReadOnlyList<Label> Labels, bool? Unknown, string? Error,
    IReadOnlyList<PredictedObject>? Objects = null);

public sealed record Prediction(Guid ModelId, int Version, IReadOnlyList<FilePrediction> Predictions);

/// <param name="Type">A stable slug, such as <c>name-taken</c>.</param>
/// <param name="Detail">A sentence that says what to do.</param>
public sealed record ProblemDetails(string? Type, int? Status, string? Detail);
