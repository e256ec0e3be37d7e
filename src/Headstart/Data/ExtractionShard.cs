namespace Headstart.Data;

/// <summary>
/// Images whose feature vectors a run waits for: work that any worker may take, and that may be done twice, because the feature cache keeps
/// one vector per image. Deleted when its vectors are stored.
/// </summary>
public sealed class ExtractionShard
{
    /// <summary>Id of the run's extraction; later ones are greater.</summary>
    public required Guid ExtractionId { get; init; }

    public required int Number { get; init; }

    /// <summary>The backbone's <c>FeatureSpace</c>, or that of fingerprints.</summary>
    public required string Space { get; init; }

    /// <summary>SHA-256 of each.</summary>
    public required byte[][] Images { get; init; }

    /// <summary>Until then a worker is assumed to be computing it; null while unclaimed.</summary>
    public DateTime? LeasedUntil { get; init; }

    public DateTime CreatedAt { get; init; }
}
