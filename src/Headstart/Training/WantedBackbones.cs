using Headstart.Backbones;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>
/// Downloads the backbones that a run may use and this host lacks. A run waits for backbones it names, but only a while for those it might
/// choose (the recommended ones, and those added to the catalogue since the model was trained). Failed downloads become notices; the run
/// continues with the backbones it has.
/// </summary>
public sealed class WantedBackbones(LoadedBackbones loaded, HostCatalogue catalogue, BackboneFetcher fetcher, BackboneNews news,
    TimeProvider clock)
{
    private const long MostNewBytes = 120_000_000;

    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Whether the backbone that a run names is available or can be downloaded; without a name, whether any is.</summary>
    public bool CanHave(string? backbone) => backbone is null
        ? loaded.All.Count > 0 || Recommended().Any()
        : loaded.FindRecipe(backbone) is not null || (Missing(backbone) is { Count: > 0 } missing && missing.TrueForAll(fetcher.CanFetch));

    /// <returns>The backbone that the run names, if this host has it now; null if the run must choose.</returns>
    /// <exception cref="RefusedException">No backbone is available.</exception>
    public async Task<string?> BringAsync(HeadstartDb db, ActiveRun run, CancellationToken cancel)
    {
        await loaded.Bundled.WaitAsync(cancel);
        var named = run.Run.Backbone;
        var ids = named is null ? Recommended().Union(await NewAsync(db, run.Run, cancel)).Where(id => loaded.Find(id) is null)
            : Missing(named);
        var fetches = ids.Where(fetcher.CanFetch).Select(id => fetcher.Begin(catalogue.Find(id)!, again: named is not null)).ToList();
        var patience = named is not null ? TimeSpan.MaxValue : run.TimeLeft / 4 is { } quarter && quarter < Timeout ? quarter : Timeout;
        await WaitAsync(run, fetches, patience, cancel);

        var notices = Notices(fetches, named is null);
        if (loaded.All.Count == 0)
        {
            throw RefusedException.Invalid("run-refused",
                $"This host has no backbone. {string.Concat(notices.Select(n => n + " "))}{loaded.HowToGetOne}");
        }

        if (named is null || loaded.FindRecipe(named) is not null)
        {
            run.Notice(notices);
            return named;
        }

        run.Notice([.. notices,
            $"The requested backbone \"{named}\" is not installed on this host; the run chose from the installed ones."]);
        return null;
    }

    /// <summary>Waits for downloads; a host without any backbone waits until the run's own time limit.</summary>
    private async Task WaitAsync(ActiveRun run, List<Fetch> fetches, TimeSpan patience, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        var all = Task.WhenAll(fetches.Select(f => f.Ended));
        while (!all.IsCompleted && (loaded.All.Count == 0 || clock.GetElapsedTime(started) < patience))
        {
            var pending = fetches.Where(f => !f.Ended.IsCompleted).Select(Progress);
            run.Status = run.Status with { Detail = "Downloading " + string.Join(", ", pending) };
            await Task.WhenAny(all, Task.Delay(PollInterval, clock, cancel));
            cancel.ThrowIfCancellationRequested();
        }

        run.Status = run.Status with { Detail = null };
    }

    private static List<string> Notices(List<Fetch> fetches, bool unasked) =>
    [
        .. fetches.Where(f => f.Failure is not null).GroupBy(f => f.Failure).Select(g =>
            $"{string.Join(", ", g.Select(f => f.Entry.Manifest.Id))} could not be downloaded: {g.Key}."
            + (unasked ? " Later runs will retry; set Headstart:Backbones:Download=false to stop this." : "")),
        .. fetches.Where(f => !f.Ended.IsCompleted).Select(f => $"{Progress(f)} arrived in time; the download continues, and later runs "
            + "can use it."),
    ];

    private static string Progress(Fetch fetch) =>
        $"{fetch.Entry.Manifest.Id}: {fetch.Done / 1e6:0.0} of {fetch.Entry.Manifest.Bytes / 1e6:0.0} MB";

    /// <summary>The backbones of a recipe that this host lacks.</summary>
    private List<string> Missing(string recipe) => [.. FeatureRecipe.BackboneIds(recipe).Where(id => loaded.Find(id) is null)];

    private IEnumerable<string> Recommended() => catalogue.Entries.Where(e => e.Recommended && fetcher.CanFetch(e.Manifest.Id))
        .Select(e => e.Manifest.Id);

    /// <summary>Backbones added since the newest version, best first, up to the size that is downloaded unasked.</summary>
    private async Task<List<string>> NewAsync(HeadstartDb db, TrainingRun run, CancellationToken cancel)
    {
        var newest = await db.Versions.AsNoTracking().Where(v => v.ModelId == run.ModelId).OrderByDescending(v => v.Number)
            .FirstOrDefaultAsync(cancel);
        if (newest is null)
        {
            return [];
        }

        var (wanted, bytes) = (new List<string>(), 0L);
        foreach (var added in news.Since(newest.KnownBackbones, newest.Backbone, run.MaxLatencyMs)
            .OrderByDescending(m => m.PublishedAccuracy ?? 0).Where(m => m.Bytes <= MostNewBytes))
        {
            if ((bytes += added.Bytes) > MostNewBytes)
            {
                break;
            }

            wanted.Add(added.Id);
        }

        return wanted;
    }
}
