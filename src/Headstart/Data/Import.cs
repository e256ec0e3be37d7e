namespace Headstart.Data;

/// <summary>An upload too long for one request: its body is stored and processed in the background. See <c>ImportJob</c>.</summary>
public sealed class Import : IJobRow
{
    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    public required JobState State { get; init; }

    /// <summary>Content-Type of the body, which says how to read it.</summary>
    public required string ContentType { get; init; }

    /// <summary>Name of the body in <c>ImportSources</c>.</summary>
    public required byte[] Source { get; init; }

    /// <summary>Size of the body.</summary>
    public required long SourceBytes { get; init; }

    /// <summary>Number of images, plus rows and files that are not images.</summary>
    public required int Total { get; init; }

    /// <summary>
    /// The names of the model's categories when it was sent. They decide how folders are interpreted, and a worker that resumes the import
    /// must interpret them the same way although the import has added categories since.
    /// </summary>
    public required List<string> Categories { get; init; }

    /// <summary>What the sender should know, such as what was left out, as sentences.</summary>
    public required List<string> Notices { get; init; }

    /// <summary>How many from the start are processed; updated in the transaction that stores them, so the next worker resumes
    /// here.</summary>
    public int Done { get; init; }

    /// <summary>Images that are now in the model.</summary>
    public int Accepted { get; init; }

    /// <summary>How many of these were there before.</summary>
    public int AlreadyThere { get; init; }

    public int Rejected { get; init; }

    /// <summary>Bytes of the accepted files.</summary>
    public long Bytes { get; init; }

    public double? SecondsLeft { get; init; }

    public string? Error { get; init; }

    public string? IdempotencyKey { get; init; }

    public required DateTime CreatedAt { get; init; }

    public DateTime? FinishedAt { get; init; }
}

/// <summary>An image that an import rejected.</summary>
public sealed class ImportRejection
{
    public required Guid ImportId { get; init; }

    /// <summary>Index in the order of the upload, from 0.</summary>
    public required int Position { get; init; }

    public required string FileName { get; init; }

    public required string Reason { get; init; }

    public required string Detail { get; init; }
}

/// <summary>A stored body of imports, deleted when no import needs it.</summary>
public sealed class ImportSource
{
    public required byte[] Sha256 { get; init; }
}
