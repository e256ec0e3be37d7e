namespace Headstart.Data;

/// <summary>
/// An upload that takes longer than a request should: its body is kept and taken in the background. See <c>ImportJob</c>.
/// </summary>
public sealed class Import
{
    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    public required JobState State { get; init; }

    /// <summary>Content-Type of the body, which says how to read it.</summary>
    public required string ContentType { get; init; }

    /// <summary>Names the body in <c>ImportSources</c>.</summary>
    public required byte[] Source { get; init; }

    /// <summary>Images, and rows and files that are none.</summary>
    public required int Total { get; init; }

    /// <summary>
    /// The names of the model's categories when it was sent. They decide how folders are understood, and a worker that goes on must
    /// understand them in the same way, though the import has added categories since.
    /// </summary>
    public required List<string> Categories { get; init; }

    /// <summary>What the sender should know, such as what was left out; each is a sentence.</summary>
    public required List<string> Notices { get; init; }

    /// <summary>So many from the start are taken or rejected; counted by the transaction that took them, so the next worker goes on
    /// here.</summary>
    public int Done { get; init; }

    /// <summary>Images that the model has now.</summary>
    public int Accepted { get; init; }

    /// <summary>How many of these it already had.</summary>
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

/// <summary>An image that an import did not take.</summary>
public sealed class ImportRejection
{
    public required Guid ImportId { get; init; }

    /// <summary>In the order in which they were sent, from 0.</summary>
    public required int Position { get; init; }

    public required string FileName { get; init; }

    public required string Reason { get; init; }

    public required string Detail { get; init; }
}

/// <summary>That the body of imports is kept. It goes when none of them needs it any more.</summary>
public sealed class ImportSource
{
    public required byte[] Sha256 { get; init; }
}
