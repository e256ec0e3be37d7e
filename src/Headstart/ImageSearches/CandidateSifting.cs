using Headstart.Backbones;
using Headstart.Data;
using Headstart.Learning.Choosing;
using Headstart.Learning.Evaluation;
using Headstart.Similarity;
using Microsoft.EntityFrameworkCore;

namespace Headstart.ImageSearches;

/// <summary>
/// Drops candidates that the model already has, duplicates, candidates that do not match the others of their category, and surplus ones.
/// Everything is decided and written in one step: if the process dies before that, it is decided again.
/// </summary>
public sealed class CandidateSifting(IDbContextFactory<HeadstartDb> databases, LoadedBackbones loaded, FeatureCache features,
    Fingerprints prints)
{
    internal async Task SiftAsync(SearchWork work)
    {
        await using var db = await databases.CreateDbContextAsync(work.Token);
        var candidates = await db.SearchCandidates.AsNoTracking()
            .Where(c => c.SearchId == work.Search.Id && c.State == CandidateState.Fetched)
            .OrderBy(c => c.Position).ToListAsync(work.Token);
        var moves = new Dictionary<int, Move>();
        var left = await WithoutKnownAsync(db, work.Search.ModelId, candidates, moves, work.Token);
        if (loaded.All.Count > 0 && left.Count > 0)
        {
            left = await WithoutStrangeAsync(left, moves, work.Token);
        }

        foreach (var category in left.GroupBy(c => c.Category))
        {
            foreach (var (i, candidate) in category.Index())
            {
                moves[candidate.Position] = i < work.Search.PerCategory ? new(candidate.Position, CandidateState.Kept)
                    : new(candidate.Position, CandidateState.Dropped, "enough", "Not needed: enough images were found before it.");
            }
        }

        await work.MoveAsync(CandidateState.Fetched, [.. moves.Values]);
    }

    private static async Task<List<SearchCandidate>> WithoutKnownAsync(
        HeadstartDb db, Guid model, List<SearchCandidate> candidates, Dictionary<int, Move> moves, CancellationToken cancel)
    {
        var hashes = candidates.ConvertAll(c => c.Sha256!);
        var known = (await db.Examples.Where(i => i.ModelId == model && hashes.Contains(i.Sha256)).Select(i => i.Sha256)
            .ToListAsync(cancel))
            .ConvertAll(Convert.ToHexStringLower).ToHashSet();
        var seen = new HashSet<string>();
        return candidates.FindAll(candidate =>
        {
            var hash = Convert.ToHexStringLower(candidate.Sha256!);
            var (there, twice) = (known.Contains(hash), !seen.Add(hash));
            if (there || twice)
            {
                moves[candidate.Position] = new(candidate.Position, CandidateState.Dropped, there ? "already-there" : "duplicate",
                    there ? "The model already has this image." : "Duplicate: the same file was found before.");
            }

            return !there && !twice;
        });
    }

    private async Task<List<SearchCandidate>> WithoutStrangeAsync(List<SearchCandidate> candidates, Dictionary<int, Move> moves,
        CancellationToken cancel)
    {
        // Training always tries the favourite, so these vectors are reused.
        var recipe = Candidates.Favourite(loaded.All, double.PositiveInfinity, double.PositiveInfinity);
        var vectors = await features.GetAsync(recipe, candidates.ConvertAll(c => c.Sha256!), new Progress<double>(), cancel);
        var left = Keep([.. Enumerable.Range(0, candidates.Count)], i => vectors[i] is null, "damaged", "The image is damaged and cannot "
            + "be read.");
        var pairs = await LookAlikes.PairsAsync(left.ConvertAll(i => vectors[i]!), left.ConvertAll(i => candidates[i].Sha256!), prints,
            cancel);
        var groups = NearDuplicates.Groups(left.Count, pairs);
        var copies = left.Where((_, place) => groups[place] != place).ToHashSet();
        left = Keep(left, copies.Contains, "near-duplicate", "Near duplicate: the same picture was found before, resized or slightly "
            + "changed.");
        var strange = left.GroupBy(i => candidates[i].Category)
            .SelectMany(category => Outliers.Find([.. category.Select(i => vectors[i]!)]).Select(category.ElementAt)).ToHashSet();
        return Keep(left, strange.Contains, "does-not-belong", "Outlier: it does not look like the other images found for its "
            + "category.").ConvertAll(i => candidates[i]);

        List<int> Keep(List<int> some, Func<int, bool> drop, string reason, string detail)
        {
            foreach (var position in some.Where(drop).Select(i => candidates[i].Position))
            {
                moves[position] = new(position, CandidateState.Dropped, reason, detail);
            }

            return some.FindAll(i => !drop(i));
        }
    }
}
