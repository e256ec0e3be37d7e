namespace Headstart.Data;

/// <summary>The immutable result of a training run. Its head and its report are blobs.</summary>
public sealed class ModelVersion
{
    public required Guid ModelId { get; init; }

    /// <summary>1, 2, 3… within the model.</summary>
    public required int Number { get; init; }

    public required Guid RunId { get; init; }

    public required string Backbone { get; init; }

    /// <summary>The backbones that the run could choose from, see <c>BackboneNews.Known</c>; others are newer.</summary>
    public required List<string> KnownBackbones { get; init; }

    public required int TrainableParameters { get; init; }

    /// <summary>null, like its bounds, if it cannot be measured with the examples: see <c>Reports.Report.Unmeasured</c>.</summary>
    public required double? Accuracy { get; init; }

    public required double? AccuracyLow { get; init; }

    public required double? AccuracyHigh { get; init; }

    /// <summary>SHA-256 of the head's artifact in the blob store.</summary>
    public required byte[] Artifact { get; init; }

    /// <summary>
    /// SHA-256 of the artifact of a head that learned from the training images only: the head that the report evaluates and that later
    /// versions are compared with. null in versions made before it existed.
    /// </summary>
    public byte[]? Evaluated { get; init; }

    /// <summary>SHA-256 of the report, JSON, in the blob store.</summary>
    public required byte[] Report { get; init; }

    public required DateTime CreatedAt { get; init; }
}
