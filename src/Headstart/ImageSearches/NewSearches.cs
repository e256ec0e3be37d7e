using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Headstart.Jobs;
using Headstart.Uploads.Storing;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.ImageSearches;

/// <summary>Starts image searches.</summary>
internal sealed class NewSearches(HeadstartDb db, IEnumerable<IImageSource> sources, Settings settings, JobWaker waker, TimeProvider clock)
{
    private const int PerCategory = 60;
    private const int MaxQueries = 100;
    private const int MaxWords = 200;

    /// <param name="caller">Owns the model.</param>
    /// <param name="id">Id of the model.</param>
    /// <param name="request">What to search.</param>
    /// <param name="idempotencyKey">The same key returns the search that it started.</param>
    /// <param name="cancel">Cancels before the search is created.</param>
    /// <returns>The search, queued.</returns>
    /// <exception cref="RefusedException">The search was refused; the problem says why.</exception>
    public async Task<SearchView> StartAsync(
        ClaimsPrincipal caller, Guid id, NewSearchRequest request, string? idempotencyKey, CancellationToken cancel)
    {
        if (await db.ModelsOf(caller).Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            throw new RefusedException(Problems.NoSuchModel());
        }

        if (await BeforeAsync(id, idempotencyKey, cancel) is { } before)
        {
            return before;
        }

        RefusedException.ThrowIf(Problems.RefuseIdempotencyKey(idempotencyKey));

        var search = Of(model, request, [.. sources.Select(s => s.Name)], idempotencyKey);

        db.Add(search);
        try
        {
            await db.SaveChangesAsync(cancel);
        }
        catch (DbUpdateException e) when (e.IsDuplicate())
        {
            return (await BeforeAsync(id, idempotencyKey, cancel))!; // a concurrent request with the same key was faster
        }
        catch (DbUpdateException e) when (e.IsOrphan())
        {
            throw new RefusedException(Problems.NoSuchModel());
        }

        waker.Wake(SearchJob.Kind, search.Id); // if the process dies before this, the search is queued and the sweep enqueues it
        return new() { Search = search, Counts = [] };
    }

    private Task<SearchView?> BeforeAsync(Guid model, string? key, CancellationToken cancel) =>
        key is null ? Task.FromResult<SearchView?>(null)
        : SearchView.Of(db.ImageSearches.Where(s => s.ModelId == model && s.IdempotencyKey == key), db).AsNoTracking()
            .SingleOrDefaultAsync(cancel);

    private ImageSearch Of(Model model, NewSearchRequest request, IReadOnlyList<string> names, string? idempotencyKey)
    {
        RefusedException.ThrowIf(Refuse(request, names, settings.ImageSearches) ?? Refuse(model, request.Queries!));

        return new()
        {
            Id = Guid.CreateVersion7(),
            ModelId = model.Id,
            State = JobState.Queued,
            Queries = [.. request.Queries!.Select(query => new SearchQuery(Names.Clean(query.Key), query.Value!.Trim()))],
            PerCategory = request.PerCategory ?? PerCategory,
            Licences = request.Licences,
            Sources = [.. request.Sources ?? names],
            Train = request.Train,
            Review = request.Review,
            IdempotencyKey = idempotencyKey,
            CreatedAt = clock.Now(),
        };
    }

    private static ProblemHttpResult? Refuse(NewSearchRequest request, IReadOnlyList<string> sources, ImageSearchSettings limits) =>
        request.Queries is not { Count: > 0 and <= MaxQueries }
            ? Problems.Invalid("invalid-queries", $"Send search words for 1 to {MaxQueries} categories, such as "
                + """{"queries":{"cats":"domestic cat"}}.""")
        : request.PerCategory < 1 || request.PerCategory > limits.MaxPerCategory
            ? Problems.Invalid("invalid-per-category",
                $"perCategory must be between 1 and {limits.MaxPerCategory} (Headstart:ImageSearches:MaxPerCategory).")
        : request.Sources?.FirstOrDefault(name => !sources.Contains(name)) is { } unknown
            ? Problems.Invalid("unknown-source", $"Unknown source \"{unknown}\". Available: {string.Join(" and ", sources)}.")
        : request.Sources is { Count: 0 } ? Problems.Invalid("unknown-source", "Name a source, or omit sources to search all of them: "
            + $"{string.Join(" and ", sources)}.")
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

            if (!model.Categories.Exists(c => c.Name == name)
                && (!model.CategoriesGrow || model.Categories.Count >= Model.MaxCategories))
            {
                return Problems.Invalid("unknown-category",
                    KnownCategories.Unknown(model.Id, name, model.Categories.ConvertAll(c => c.Name)));
            }

            if (string.IsNullOrWhiteSpace(words) || words.Length > MaxWords || words.Any(char.IsControl))
            {
                return Problems.Invalid("invalid-queries", $"The search words for \"{name}\" must not be blank, contain control "
                    + $"characters or exceed {MaxWords} characters.");
            }
        }

        return queries.Keys.Select(Names.Clean).Distinct().Count() == queries.Count ? null
            : Problems.Invalid("invalid-queries", "Two of the categories have the same name.");
    }
}
