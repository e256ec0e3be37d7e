namespace Headstart.Data;

/// <summary>
/// Images whose feature vectors a run waits for: a piece of work that any worker may take, and that may be done twice, as the feature cache
/// keeps one vector an image. It is deleted when its vectors are there.
/// </summary>
public sealed class ExtractionShard
{
    /// <summary>Id of the run's request; ascending in time.</summary>
    public required Guid ExtractionId { get; init; }

    public required int Number { get; init; }

    /// <summary>The backbone's <c>FeatureSpace</c>, or that of fingerprints.</summary>
    public required string Space { get; init; }

    /// <summary>SHA-256 each.</summary>
    public required byte[][] Images { get; init; }

    /// <summary>Until then a worker is assumed to be computing it; null while unclaimed.</summary>
    public DateTime? LeasedUntil { get; init; }

    public DateTime CreatedAt { get; init; }
}
