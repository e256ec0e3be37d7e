using Headstart.Data;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.ImageSearches;

/// <summary>What a search may be.</summary>
internal static class NewSearches
{
    private const int PerCategory = 60;
    private const int MaxQueries = 100;
    private const int MaxWords = 200;

    /// <returns>The row, queued, or why there is none.</returns>
    public static (ImageSearch? Search, ProblemHttpResult? Refusal) Of(
        Model model, NewSearchRequest request, IReadOnlyList<string> sources, ImageSearchSettings limits, string? idempotencyKey, DateTime now)
    {
        if ((Refuse(request, sources, limits) ?? Refuse(model, request.Queries!)) is { } refusal)
        {
            return (null, refusal);
        }

        return (new()
        {
            Id = Guid.CreateVersion7(),
            ModelId = model.Id,
            State = JobState.Queued,
            Queries = [.. request.Queries!.Select(query => new SearchQuery(query.Key.Trim(), query.Value!.Trim()))],
            PerCategory = request.PerCategory ?? PerCategory,
            Licences = request.Licences,
            Sources = [.. request.Sources ?? sources],
            Train = request.Train,
            Review = request.Review,
            IdempotencyKey = idempotencyKey,
            CreatedAt = now,
        }, null);
    }

    private static ProblemHttpResult? Refuse(NewSearchRequest request, IReadOnlyList<string> sources, ImageSearchSettings limits) =>
        request.Queries is not { Count: > 0 and <= MaxQueries }
            ? Problems.Invalid("invalid-queries", $"Say what to search for each category, 1 to {MaxQueries} of them, as in " + """{"queries":{"cats":"domestic cat"}}.""")
        : request.PerCategory < 1 || request.PerCategory > limits.MaxPerCategory
            ? Problems.Invalid("invalid-per-category", $"perCategory must be between 1 and {limits.MaxPerCategory} (Headstart:ImageSearches:MaxPerCategory).")
        : request.Sources?.FirstOrDefault(name => !sources.Contains(name)) is { } unknown
            ? Problems.Invalid("unknown-source", $"There is no source \"{unknown}\"; there are {string.Join(" and ", sources)}.")
        : request.Sources is { Count: 0 } ? Problems.Invalid("unknown-source", $"Name a source, or leave sources out for all: {string.Join(" and ", sources)}.")
        : null;

    private static ProblemHttpResult? Refuse(Model model, IReadOnlyDictionary<string, string?> queries)
    {
        foreach (var (category, words) in queries)
        {
            var (name, problem) = Names.Read(category, "category");
            if (name is null)
            {
                return Problems.Invalid("invalid-category", problem!);
            }

            if (!model.CategoriesGrow && !model.Categories.Exists(c => c.Name == name))
            {
                return Problems.Invalid("unknown-category", $"The model has no category \"{name}\"; PATCH the model to add one.");
            }

            if (string.IsNullOrWhiteSpace(words) || words.Length > MaxWords || words.Any(char.IsControl))
            {
                return Problems.Invalid("invalid-queries", $"The words for \"{name}\" must not be blank, have control characters or more than {MaxWords} characters.");
            }
        }

        return queries.Keys.Select(category => category.Trim()).Distinct().Count() == queries.Count ? null
            : Problems.Invalid("invalid-queries", "Two of the categories have the same name.");
    }
}
