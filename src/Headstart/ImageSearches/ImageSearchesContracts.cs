using Headstart.Data;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.ImageSearches;

/// <param name="Queries">For each category the words that its images are searched by.</param>
/// <param name="PerCategory">At most so many images are added to each; 60 where it is left out.</param>
/// <param name="Train">Whether a training run starts by itself in the end; it does where this is left out.</param>
/// <param name="Review">Waits before the images are added until somebody has looked at the candidates and accepts them.</param>
/// <param name="Licences">Which images may be used: <c>commercial</c> (also changed), <c>publicDomain</c> or <c>any</c>.</param>
/// <param name="Sources">Of <c>openverse</c> and <c>wikimedia</c>; both where it is left out.</param>
public sealed record NewSearchRequest(
    IReadOnlyDictionary<string, string?>? Queries = null, int? PerCategory = null, bool Train = true, bool Review = false,
    Licences Licences = Licences.Commercial, IReadOnlyList<string>? Sources = null);

/// <param name="Progress">0 to 1.</param>
/// <param name="Categories">What became of what was found.</param>
/// <param name="Notices">What was not as it should be and did not end the search, such as a source that did not answer.</param>
/// <param name="RunId">The training run that it started.</param>
/// <param name="Error">Why it failed and what to do.</param>
public sealed record SearchResponse(
    Guid Id, Guid ModelId, JobState State, SearchStage? Stage, double Progress, int PerCategory, Licences Licences, IReadOnlyList<string> Sources, bool Train, bool Review,
    IReadOnlyList<SearchedCategory> Categories, IReadOnlyList<string> Notices, Guid? RunId, string? Error, DateTime CreatedAt, DateTime? FinishedAt)
{
    public bool HasEnded() => State.HasEnded() || State == JobState.Reviewing;
}

/// <param name="Words">It was searched by.</param>
/// <param name="Found">Addresses.</param>
/// <param name="Fetched">Files that came.</param>
/// <param name="Kept">Images that are to be added.</param>
/// <param name="Added">Images that the model took.</param>
/// <param name="Rejected">Images that a person has left out.</param>
/// <param name="Dropped">Candidates that were left out, and why.</param>
public sealed record SearchedCategory(
    string Category, string Words, int Found, int Fetched, int Kept, int Added, int Rejected, IReadOnlyDictionary<string, int> Dropped);

/// <param name="Position">Names it in this search.</param>
/// <param name="Reason">Why it was dropped: a stable slug.</param>
/// <param name="Detail">The same as a sentence.</param>
/// <param name="HasImage">Whether its file is here, under /content.</param>
public sealed record CandidateResponse(
    int Position, string Category, CandidateState State, string? Reason, string? Detail, bool HasImage, ImageOrigin Origin);

/// <param name="Rejected">True leaves the image out, or takes it out of the model again; false takes it in, also one that was dropped, until the images are added.</param>
public sealed record CandidateChange(bool Rejected);

/// <param name="State">Only those of this state.</param>
/// <param name="Category">Only those of this category.</param>
/// <param name="Limit">So many entries.</param>
/// <param name="After">Those behind this position.</param>
public sealed record CandidateQuery(
    [property: FromQuery(Name = "state")] string? State, [property: FromQuery(Name = "category")] string? Category,
    [property: FromQuery(Name = "limit")] int? Limit, [property: FromQuery(Name = "after")] int? After);

/// <param name="Id">Of the model.</param>
public sealed record CandidatePath(
    [property: FromRoute(Name = "id")] Guid Id, [property: FromRoute(Name = "searchId")] Guid SearchId, [property: FromRoute(Name = "position")] int Position);
