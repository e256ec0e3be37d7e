namespace Headstart.Data;

/// <summary>
/// Many images or texts that one version answers in the background. See <c>BatchJob</c>.
/// </summary>
public sealed class BatchPrediction
{
    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    /// <summary>
    /// The version that predicts the whole batch, whatever is published meanwhile, so that retries give the same answers.
    /// </summary>
    public required int Version { get; init; }

    public required JobState State { get; init; }

    public required int Images { get; init; }

    /// <summary>Of the files and texts that are kept for it; images that the model has are not kept again, its texts are.</summary>
    public long Bytes { get; init; }

    /// <summary>Items with an answer; counted by the statement that writes the answers.</summary>
    public required int Done { get; init; }

    /// <summary>Items whose answer is an error.</summary>
    public required int Failed { get; init; }

    public double? SecondsLeft { get; init; }

    public string? Error { get; init; }

    public string? IdempotencyKey { get; init; }

    public required DateTime CreatedAt { get; init; }

    public DateTime? FinishedAt { get; init; }
}

/// <summary>One image or text of a batch.</summary>
public sealed class BatchItem
{
    public required Guid BatchId { get; init; }

    /// <summary>In the order in which they were sent, from 0.</summary>
    public required int Position { get; init; }

    /// <summary>What the sender called it, for people to read; of a text the file that it stands in, empty where there is none. It never
    /// becomes a path.</summary>
    public required string FileName { get; init; }

    /// <summary>Names the blob of an image; null for a file that was refused when it came.</summary>
    public byte[]? Sha256 { get; init; }

    /// <summary>The text; null for an image, and for a text that was refused when it came.</summary>
    public string? Text { get; init; }

    /// <summary>The stored image or text of the model that it is. Deleting that changes nothing here.</summary>
    public Guid? ExampleId { get; init; }

    /// <summary>A <c>BatchAnswer</c> as JSON; null until there is one.</summary>
    public string? Answer { get; init; }
}
