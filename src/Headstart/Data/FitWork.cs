namespace Headstart.Data;

/// <summary>Fits that a run waits for. If the run's worker dies, they are useless: the next worker creates its own.</summary>
public sealed class FitWork
{
    /// <summary>Rises with time.</summary>
    public required Guid Id { get; init; }

    /// <summary>The <c>FeatureSpace</c> of each backbone that the features are made with.</summary>
    public required string[] Spaces { get; init; }

    /// <summary>A <c>FitDescription</c> as JSON.</summary>
    public required string Description { get; init; }

    public DateTime CreatedAt { get; init; }
}

/// <summary>One of the fits. It may be made twice; the answers are the same, or as good.</summary>
public sealed class FitShard
{
    public required Guid WorkId { get; init; }

    public required int Number { get; init; }

    /// <summary>Until then a worker is assumed to be computing it; null while unclaimed.</summary>
    public DateTime? LeasedUntil { get; init; }

    /// <summary>The answer, float32 each; null until it is there.</summary>
    public byte[]? Result { get; init; }
}
