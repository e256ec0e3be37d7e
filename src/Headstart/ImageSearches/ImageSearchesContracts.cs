using System.ComponentModel.DataAnnotations;
using Headstart.Data;
using Headstart.Jobs;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.ImageSearches;

/// <param name="Queries">The search words for each category.</param>
/// <param name="PerCategory">The most images to add per category; 60 by default.</param>
/// <param name="Train">Whether to start a training run at the end; true by default.</param>
/// <param name="Review">Whether to wait until a user has reviewed and accepted the candidates before adding images.</param>
/// <param name="Licences">Allowed licences: <c>commercial</c> (commercial use and modification), <c>publicDomain</c> or <c>any</c>.</param>
/// <param name="Sources"><c>openverse</c>, <c>wikimedia</c> or both; both by default.</param>
public sealed record NewSearchRequest(
    [property: Required] IReadOnlyDictionary<string, string?>? Queries = null, int? PerCategory = null, bool Train = true,
    bool Review = false, Licences Licences = Licences.Commercial, IReadOnlyList<string>? Sources = null);

/// <param name="Progress">0 to 1.</param>
/// <param name="Categories">The number of images per category and state.</param>
/// <param name="Notices">Problems that did not end the search, such as a source that did not answer.</param>
/// <param name="RunId">The training run that it started.</param>
/// <param name="Error">Why it failed and what to do.</param>
public sealed record SearchResponse(
    Guid Id, Guid ModelId, JobState State, SearchStage? Stage, double Progress, int PerCategory, Licences Licences,
    IReadOnlyList<string> Sources, bool Train, bool Review,
    IReadOnlyList<SearchedCategory> Categories, IReadOnlyList<string> Notices, Guid? RunId, string? Error, DateTime CreatedAt,
    DateTime? FinishedAt) : IShownJob;

/// <param name="Words">The search words.</param>
/// <param name="Found">Number of URLs found.</param>
/// <param name="Fetched">Number of files downloaded.</param>
/// <param name="Kept">Number of images to be added.</param>
/// <param name="Added">Number of images added to the model.</param>
/// <param name="Rejected">Number of images rejected in review.</param>
/// <param name="Dropped">Number of candidates removed automatically, by reason.</param>
public sealed record SearchedCategory(
    string Category, string Words, int Found, int Fetched, int Kept, int Added, int Rejected, IReadOnlyDictionary<string, int> Dropped);

/// <param name="Position">Identifies the candidate within the search.</param>
/// <param name="Reason">Why it was dropped: a stable slug.</param>
/// <param name="Detail">Why it was dropped, as a sentence.</param>
/// <param name="HasImage">Whether its file was downloaded and is available at /content.</param>
public sealed record CandidateResponse(
    int Position, string Category, CandidateState State, string? Reason, string? Detail, bool HasImage, ImageOrigin Origin);

/// <param name="Rejected">true rejects the image, or removes it from the model again; false keeps it, even if it was dropped, until the
/// images are added.</param>
public sealed record CandidateChange(bool Rejected);

/// <param name="State">Only candidates in this state.</param>
/// <param name="Category">Only candidates of this category.</param>
/// <param name="Limit">Number of entries per page.</param>
/// <param name="After">Only candidates after this position.</param>
public sealed record CandidateQuery(
    [property: FromQuery(Name = "state")] string? State, [property: FromQuery(Name = "category")] string? Category,
    [property: FromQuery(Name = "limit")] int? Limit, [property: FromQuery(Name = "after")] int? After);

/// <param name="Id">Id of the model.</param>
public sealed record CandidatePath(
    [property: FromRoute(Name = "id")] Guid Id, [property: FromRoute(Name = "searchId")] Guid SearchId,
    [property: FromRoute(Name = "position")] int Position);
