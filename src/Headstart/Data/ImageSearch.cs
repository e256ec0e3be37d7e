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

/// <summary>
/// A search of the web for examples. This row and its candidates are the truth: see <c>SearchJob</c>.
/// </summary>
public sealed class ImageSearch
{
    public required Guid Id { get; init; }

    public required Guid ModelId { get; init; }

    public required JobState State { get; init; }

    public SearchStage? Stage { get; init; }

    /// <summary>What to look for, for each category.</summary>
    public required List<SearchQuery> Queries { get; init; }

    /// <summary>At most so many images are added to each.</summary>
    public required int PerCategory { get; init; }

    public required Licences Licences { get; init; }

    /// <summary>Names of the sources that are asked.</summary>
    public required List<string> Sources { get; init; }

    /// <summary>Starts a training run in the end.</summary>
    public required bool Train { get; init; }

    /// <summary>Waits before the images are added.</summary>
    public required bool Review { get; init; }

    /// <summary>A person has seen what was found.</summary>
    public bool Accepted { get; init; }

    /// <summary>Categories whose candidates are written down.</summary>
    public List<string> Searched { get; init; } = [];

    /// <summary>Problems that did not end the search.</summary>
    public List<string> Notices { get; init; } = [];

    /// <summary>The training run that it started.</summary>
    public Guid? RunId { get; init; }

    public string? Error { get; init; }

    public string? IdempotencyKey { get; init; }

    public required DateTime CreatedAt { get; init; }

    public DateTime? FinishedAt { get; init; }
}

/// <param name="Category">Its name.</param>
/// <param name="Words">What its images should show.</param>
public sealed record SearchQuery(string Category, string Words);

public enum CandidateState
{
    /// <summary>Its URL is known.</summary>
    Found,

    /// <summary>It is downloaded.</summary>
    Fetched,

    /// <summary>It is to be added.</summary>
    Kept,

    /// <summary>The model has it.</summary>
    Added,

    /// <summary>Left out by the search, which says why.</summary>
    Dropped,

    /// <summary>Left out by a person.</summary>
    Rejected,
}

/// <summary>An image that a search found.</summary>
public sealed class SearchCandidate
{
    public required Guid SearchId { get; init; }

    /// <summary>In the order of the categories and then of the sources' answers, from 0.</summary>
    public required int Position { get; init; }

    public required string Category { get; init; }

    public required ImageOrigin Origin { get; init; }

    public required CandidateState State { get; init; }

    /// <summary>Why it was dropped: a stable slug.</summary>
    public string? Reason { get; init; }

    /// <summary>The same as a sentence.</summary>
    public string? Detail { get; init; }

    /// <summary>Names the blob, once it was fetched.</summary>
    public byte[]? Sha256 { get; init; }
}

/// <summary>Which images a search may use.</summary>
public enum Licences
{
    /// <summary>Those that may be used commercially and changed, as training and showing thumbnails do.</summary>
    Commercial,

    /// <summary>Public domain and CC0.</summary>
    PublicDomain,

    /// <summary>Whatever the source has.</summary>
    Any,
}
