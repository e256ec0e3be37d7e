namespace Headstart.Data;

public enum SearchStage
{
    /// <summary>Asks the sources for image URLs.</summary>
    Searching,

    /// <summary>Downloads the images.</summary>
    Fetching,

    /// <summary>Drops duplicates and poor matches.</summary>
    Sifting,

    /// <summary>Adds the remaining images to the model.</summary>
    Adding,
}

/// <summary>A web search for examples. This row and its candidates are the truth: see <c>SearchJob</c>.</summary>
public sealed class ImageSearch : IJobRow
{
    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    public required JobState State { get; init; }

    public SearchStage? Stage { get; init; }

    /// <summary>What to look for, for each category.</summary>
    public required List<SearchQuery> Queries { get; init; }

    /// <summary>Maximum number of images to add to each category.</summary>
    public required int PerCategory { get; init; }

    public required Licences Licences { get; init; }

    /// <summary>Names of the sources to search.</summary>
    public required List<string> Sources { get; init; }

    /// <summary>Whether to start a training run at the end.</summary>
    public required bool Train { get; init; }

    /// <summary>Whether to wait for a user's review before adding images.</summary>
    public required bool Review { get; init; }

    /// <summary>Whether a user has reviewed the results.</summary>
    public bool Accepted { get; init; }

    /// <summary>Categories whose candidates are stored.</summary>
    public List<string> Searched { get; init; } = [];

    /// <summary>Problems that did not end the search, as sentences.</summary>
    public List<string> Notices { get; init; } = [];

    /// <summary>The training run that it started.</summary>
    public Guid? RunId { get; init; }

    public string? Error { get; init; }

    public string? IdempotencyKey { get; init; }

    public required DateTime CreatedAt { get; init; }

    public DateTime? FinishedAt { get; init; }
}

/// <param name="Category">Name of the category.</param>
/// <param name="Words">What its images should show.</param>
public sealed record SearchQuery(string Category, string Words);

public enum CandidateState
{
    /// <summary>Only the URL is known.</summary>
    Found,

    /// <summary>Downloaded.</summary>
    Fetched,

    /// <summary>Will be added.</summary>
    Kept,

    /// <summary>Added to the model.</summary>
    Added,

    /// <summary>Left out by the search for a given reason.</summary>
    Dropped,

    /// <summary>Left out by a user.</summary>
    Rejected,
}

/// <summary>An image that a search found.</summary>
public sealed class SearchCandidate
{
    public required Guid SearchId { get; init; }

    /// <summary>Index in the order of categories, then of the sources' answers, from 0.</summary>
    public required int Position { get; init; }

    public required string Category { get; init; }

    public required ImageOrigin Origin { get; init; }

    public required CandidateState State { get; init; }

    /// <summary>Why it was dropped, as a stable slug.</summary>
    public string? Reason { get; init; }

    /// <summary>The same as a sentence.</summary>
    public string? Detail { get; init; }

    /// <summary>SHA-256 of the blob, once downloaded.</summary>
    public byte[]? Sha256 { get; init; }
}

/// <summary>Which images a search may use.</summary>
public enum Licences
{
    /// <summary>Images that may be used commercially and modified, as training and thumbnails do.</summary>
    Commercial,

    /// <summary>Public domain and CC0.</summary>
    PublicDomain,

    /// <summary>All images of the source.</summary>
    Any,
}
