namespace Headstart.Data;

/// <summary>Fits that a run waits for. Useless if the run's worker dies: the next worker creates its own.</summary>
public sealed class FitWork
{
    /// <summary>Later ones are greater.</summary>
    public required Guid Id { get; init; }

    /// <summary>The <c>FeatureSpace</c> of each backbone of the features.</summary>
    public required string[] Spaces { get; init; }

    /// <summary>A <c>FitDescription</c> as JSON.</summary>
    public required string Description { get; init; }

    public DateTime CreatedAt { get; init; }
}

/// <summary>One of the fits. It may be computed twice; the results are equal or equally good.</summary>
public sealed class FitShard
{
    public required Guid WorkId { get; init; }

    public required int Number { get; init; }

    /// <summary>Until then a worker is assumed to be computing it; null while unclaimed.</summary>
    public DateTime? LeasedUntil { get; init; }

    /// <summary>The result as float32; null until it exists.</summary>
    public byte[]? Result { get; init; }
}
