namespace Headstart.Data;

/// <summary>Many images or texts that one version predicts in the background. See <c>BatchJob</c>.</summary>
public sealed class BatchPrediction : IJobRow
{
    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    /// <summary>
    /// The version that predicts the whole batch, whatever is published meanwhile, so that retries give the same answers.
    /// </summary>
    public required int Version { get; init; }

    public required JobState State { get; init; }

    public required int Images { get; init; }

    /// <summary>Bytes stored for the batch: uploaded files and all texts, but not the model's stored images.</summary>
    public long Bytes { get; init; }

    /// <summary>Items with an answer; updated by the statement that writes the answers.</summary>
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

    /// <summary>Index in the order of the request, from 0.</summary>
    public required int Position { get; init; }

    /// <summary>The sender's file name, only for display, never used as a path; for a text the file that contained it, empty if
    /// none.</summary>
    public required string FileName { get; init; }

    /// <summary>SHA-256 of the image's blob; null for a file that was refused on arrival.</summary>
    public byte[]? Sha256 { get; init; }

    /// <summary>The text; null for an image and for a text that was refused on arrival.</summary>
    public string? Text { get; init; }

    /// <summary>Id if it is a stored image or text of the model. Deleting the example changes nothing here.</summary>
    public Guid? ExampleId { get; init; }

    /// <summary>A <c>BatchAnswer</c> as JSON; null until it exists.</summary>
    public string? Answer { get; init; }
}
