using Headstart.Data;

namespace Headstart.ImageSearches;

/// <summary>A search and the number of its candidates in each state.</summary>
internal sealed class SearchView
{
    public required ImageSearch Search { get; init; }

    public required List<CandidateCount> Counts { get; init; }

    public static IQueryable<SearchView> Of(IQueryable<ImageSearch> searches, HeadstartDb db) => searches.Select(search => new SearchView
    {
        Search = search,
        Counts = db.SearchCandidates.Where(c => c.SearchId == search.Id)
        .GroupBy(c => new { c.Category, c.State, c.Reason, HasImage = c.Sha256 != null })
            .Select(g => new CandidateCount
            {
                Category = g.Key.Category,
                State = g.Key.State,
                Reason = g.Key.Reason,
                HasImage = g.Key.HasImage,
                Count = g.Count()
            })
            .ToList(),
    });

    public SearchResponse Respond() => new(
        Search.Id, Search.ModelId, Search.State, Search.Stage, Math.Round(Progress(), 3), Search.PerCategory, Search.Licences,
        Search.Sources, Search.Train, Search.Review,
        Search.Queries.ConvertAll(query => Of(query, Counts.FindAll(c => c.Category == query.Category))), Search.Notices, Search.RunId,
        Search.Error,
        Search.CreatedAt, Search.FinishedAt);

    private static SearchedCategory Of(SearchQuery query, List<CandidateCount> counts) => new(
        query.Category, query.Words, counts.Sum(c => c.Count), counts.Where(c => c.HasImage).Sum(c => c.Count),
        In(counts, CandidateState.Kept), In(counts, CandidateState.Added), In(counts, CandidateState.Rejected),
        counts.Where(c => c.State == CandidateState.Dropped).GroupBy(c => c.Reason ?? "").OrderBy(g => g.Key, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Sum(c => c.Count)));

    /// <summary>Downloading takes nearly all of the time.</summary>
    private double Progress() => Search.State == JobState.Succeeded ? 1 : Search.Stage switch
    {
        SearchStage.Searching => 0.1 * Search.Searched.Count / Search.Queries.Count,
        SearchStage.Fetching => 0.1 + 0.7 * (1 - In(Counts, CandidateState.Found) / (double)Math.Max(1, Counts.Sum(c => c.Count))),
        SearchStage.Sifting => 0.8,
        SearchStage.Adding => 0.9,
        _ => 0,
    };

    private static int In(List<CandidateCount> counts, CandidateState state) => counts.Where(c => c.State == state).Sum(c => c.Count);
}

internal sealed class CandidateCount
{
    public required string Category { get; init; }

    public required CandidateState State { get; init; }

    public required string? Reason { get; init; }

    public required bool HasImage { get; init; }

    public required int Count { get; init; }
}
