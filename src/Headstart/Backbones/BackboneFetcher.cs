using Headstart.Learning.Backbones;

namespace Headstart.Backbones;

/// <summary>
/// Downloads backbones of the catalogue and loads them while the host runs. Requests for the same backbone share one download, and a
/// download continues even if its run ends, because the next run will want it. Failures are remembered for some minutes, so that runs on a
/// machine without internet access lose no time.
/// </summary>
public sealed partial class BackboneFetcher(
    DataPaths paths, HostCatalogue catalogue, LoadedBackbones loaded, BackboneExchange exchange, IHostApplicationLifetime lifetime,
    TimeProvider clock, ILogger<BackboneFetcher> log)
{
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Fetch> _fetches = [];
    private readonly BackboneDownload _download = new(new() { RetryUnreachable = false });

    /// <summary>Whether downloads are enabled and the catalogue has this backbone.</summary>
    public bool CanFetch(string id) => catalogue.Downloads && catalogue.Find(id) is not null;

    /// <summary>The download of this backbone that is running or recently failed.</summary>
    public Fetch? Find(string id)
    {
        lock (_gate)
        {
            return _fetches.GetValueOrDefault(id) is { } fetch && !IsForgotten(fetch) ? fetch : null;
        }
    }

    /// <summary>Starts a download or joins the running one.</summary>
    /// <param name="entry">The backbone to download.</param>
    /// <param name="again">Retry even after a recent failure, because a user asked for this backbone.</param>
    public Fetch Begin(CatalogueEntry entry, bool again)
    {
        lock (_gate)
        {
            if (_fetches.GetValueOrDefault(entry.Manifest.Id) is { } before
                && (!before.Ended.IsCompleted || (!again && !IsForgotten(before))))
            {
                return before;
            }

            var fetch = new Fetch(entry);
            fetch.Ended = Task.Run(() => RunAsync(fetch));
            return _fetches[entry.Manifest.Id] = fetch;
        }
    }

    private bool IsForgotten(Fetch fetch) =>
        fetch.Ended.IsCompleted && (fetch.Failure is null || clock.GetElapsedTime(fetch.EndedAt) > Memory);

    /// <returns>null if the backbone is loaded, otherwise why it is not.</returns>
    private async Task<string?> RunAsync(Fetch fetch)
    {
        var id = fetch.Entry.Manifest.Id;
        try
        {
            Log.Begins(log, id);
            var file = await _download.FetchAsync(fetch.Entry, paths.Backbones, catalogue.Mirror, fetch,
                lifetime.ApplicationStopping);
            loaded.Take(file);
            exchange.Wake();
            return null;
        }
        catch (BackboneException e)
        {
            Log.Failed(log, e.Message);
            return (e.InnerException ?? e).Message.TrimEnd('.'); // without the name, so that one sentence can list several backbones
        }
        catch (OperationCanceledException)
        {
            return "the host is stopping";
        }
        finally
        {
            fetch.EndedAt = clock.GetTimestamp();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Downloading backbone {Id}")]
        public static partial void Begins(ILogger log, string id);

        [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
        public static partial void Failed(ILogger log, string problem);
    }
}

/// <summary>One download, shared by all who wait for it.</summary>
public sealed class Fetch(CatalogueEntry entry) : IProgress<(long Done, long Total)>
{
    private long _done;

    public CatalogueEntry Entry { get; } = entry;

    /// <summary>Bytes downloaded so far.</summary>
    public long Done => Interlocked.Read(ref _done);

    /// <summary>Why the backbone is not loaded, without its name and a full stop; null if it is loaded.</summary>
    public Task<string?> Ended { get; internal set; } = Task.FromResult<string?>(null);

    /// <summary>The result so far; null also while the download runs.</summary>
    public string? Failure => Ended.IsCompletedSuccessfully ? Ended.Result : null;

    internal long EndedAt { get; set; }

    public void Report((long Done, long Total) value) => Interlocked.Exchange(ref _done, value.Done);
}
