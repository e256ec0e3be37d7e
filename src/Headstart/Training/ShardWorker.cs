using Headstart.Backbones;
using Headstart.Data;
using Headstart.Similarity;

namespace Headstart.Training;

/// <summary>Helps with other workers' runs: computes feature vectors and fingerprints of their images, shard by shard, and fits their
/// heads.</summary>
public sealed partial class ShardWorker : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3);

    private readonly ExtractionShards _shards;
    private readonly FeatureCache _features;
    private readonly Fingerprints _prints;
    private readonly LoadedBackbones _loaded;
    private readonly SharedFits _fits;
    private readonly ILogger<ShardWorker> _log;
    private readonly SemaphoreSlim _news = new(0, 1);

    public ShardWorker(ExtractionShards shards, FeatureCache features, Fingerprints prints, LoadedBackbones loaded, SharedFits fits,
        Announcements announcements, ILogger<ShardWorker> log)
    {
        (_shards, _features, _prints, _loaded, _fits, _log) = (shards, features, prints, loaded, fits, log);
        announcements.Listen(Announcement.Shards, () => _news.Wake());
    }

    public override void Dispose()
    {
        _news.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                // A host that leads a run needs its cores for that.
                while (!_shards.IsLeading && (await ExtractAsync(stopping) || await _fits.HelpAsync(stopping)))
                {
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Most likely the database or the blob store is unreachable. The shard becomes free again, and the run's own worker
                // continues without us.
                Log.Failed(_log, e.GetBaseException().Message);
            }

            await _news.WaitAsync(Period, stopping);
        }
    }

    /// <summary>Computes one shard of images.</summary>
    /// <returns>false if there was none to compute.</returns>
    private async Task<bool> ExtractAsync(CancellationToken stopping)
    {
        var here = _loaded.All.ToDictionary(b => b.FeatureSpace);
        if (await _shards.ClaimAsync([.. here.Keys, Fingerprints.Space], null, stopping) is not { } shard)
        {
            return false;
        }

        await (shard.Space == Fingerprints.Space ? _prints.ComputeAsync(shard.Images, stopping)
            : _features.ComputeAsync(here[shard.Space], shard.Images, null, stopping));
        await _shards.DoneAsync(shard, stopping);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Helping with another worker's run failed; that run continues without this "
            + "host: {Reason}")]
        public static partial void Failed(ILogger log, string reason);
    }
}
