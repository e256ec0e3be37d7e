namespace Headstart.Data;

/// <summary>Usage of a key on one day (UTC).</summary>
public sealed class UsageDay
{
    public required Guid KeyId { get; init; }

    public required DateOnly Day { get; init; }

    public required long Requests { get; init; }

    /// <summary>Number of predicted images and texts.</summary>
    public required long Predictions { get; init; }
}
