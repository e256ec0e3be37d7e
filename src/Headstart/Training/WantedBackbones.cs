using Headstart.Backbones;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>
/// Before a run chooses: brings what it would like to use and this host does not have. What it names is waited for; what it might choose
/// (the recommended backbones, and those that came into the catalogue since the model was trained) only for a while. What cannot be had
/// is a notice, and the run goes on with what is here.
/// </summary>
public sealed class WantedBackbones(LoadedBackbones loaded, HostCatalogue catalogue, BackboneFetcher fetcher, BackboneNews news, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Could a run have what it names, or, where it names nothing, anything at all?</summary>
    public bool CanHave(string? backbone) => backbone is null
        ? loaded.All.Count > 0 || Recommended().Any()
        : loaded.FindRecipe(backbone) is not null || (Missing(backbone) is { Count: > 0 } missing && missing.TrueForAll(fetcher.CanFetch));

    /// <returns>What the run names, where this host has it now; null where the run has to choose for itself.</returns>
    /// <exception cref="RunRefusedException">There is nothing to go on with.</exception>
    public async Task<string?> BringAsync(HeadstartDb db, ActiveRun run, TimeSpan budget, CancellationToken cancel)
    {
        var named = run.Run.Backbone;
        var ids = named is null ? Recommended().Union(await NewAsync(db, run.Run, cancel)).Where(id => loaded.Find(id) is null) : Missing(named);
        var fetches = ids.Where(fetcher.CanFetch).Select(id => fetcher.Begin(catalogue.Find(id)!, again: named is not null)).ToList();
        var patience = named is not null ? TimeSpan.MaxValue : budget > TimeSpan.Zero && budget / 4 < Patience ? budget / 4 : Patience;
        await WaitAsync(run, fetches, patience, cancel);

        var notices = Notices(fetches, named is null);
        if (loaded.All.Count == 0)
        {
            throw new RunRefusedException($"This host has no backbone. {string.Concat(notices.Select(n => n + " "))}{loaded.HowToGetOne}");
        }

        if (named is null || loaded.FindRecipe(named) is not null)
        {
            run.Status = run.Status with { Notices = notices };
            return named;
        }

        run.Status = run.Status with { Notices = [.. notices, $"\"{named}\" was asked for and is not on this host: the run chose among the backbones that are."] };
        return null;
    }

    /// <summary>While nothing at all is here, patience has no end but the run's own.</summary>
    private async Task WaitAsync(ActiveRun run, List<Fetch> fetches, TimeSpan patience, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        var all = Task.WhenAll(fetches.Select(f => f.Ended));
        while (!all.IsCompleted && (loaded.All.Count == 0 || clock.GetElapsedTime(started) < patience))
        {
            run.Status = run.Status with { Detail = $"Fetching {string.Join(", ", fetches.Where(f => !f.Ended.IsCompleted).Select(Progress))}" };
            await Task.WhenAny(all, Task.Delay(PollInterval, clock, cancel));
            cancel.ThrowIfCancellationRequested();
        }

        run.Status = run.Status with { Detail = null };
    }

    private static List<string> Notices(List<Fetch> fetches, bool unasked) =>
    [
        .. fetches.Where(f => f.Failure is not null).GroupBy(f => f.Failure).Select(g =>
            $"{string.Join(", ", g.Select(f => f.Entry.Manifest.Id))} could not be fetched: {g.Key}."
            + (unasked ? " Later runs try again; Headstart:Backbones:Download=false ends that." : "")),
        .. fetches.Where(f => !f.Ended.IsCompleted).Select(f => $"{Progress(f)} came in time; it is still being fetched, and later runs can use it."),
    ];

    private static string Progress(Fetch fetch) => $"{fetch.Entry.Manifest.Id}: {fetch.Done / 1e6:0.0} of {fetch.Entry.Manifest.Bytes / 1e6:0.0} MB";

    /// <summary>The backbones of a recipe that are not here.</summary>
    private List<string> Missing(string recipe) => [.. FeatureRecipe.BackboneIds(recipe).Where(id => loaded.Find(id) is null)];

    private IEnumerable<string> Recommended() => catalogue.Entries.Where(e => e.Recommended && fetcher.CanFetch(e.Manifest.Id)).Select(e => e.Manifest.Id);

    private async Task<List<string>> NewAsync(HeadstartDb db, TrainingRun run, CancellationToken cancel)
    {
        var newest = await db.Versions.AsNoTracking().Where(v => v.ModelId == run.ModelId).OrderByDescending(v => v.Number).FirstOrDefaultAsync(cancel);
        return newest is null ? [] : news.Since(newest.KnownBackbones, newest.Backbone, run.MaxLatencyMs).ConvertAll(m => m.Id);
    }
}
