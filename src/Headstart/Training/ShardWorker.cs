using Headstart.Backbones;
using Headstart.Concurrency;
using Headstart.Data;
using Headstart.Similarity;

namespace Headstart.Training;

/// <summary>Helps with the runs of other workers: with their images, shard by shard, and with fitting their heads.</summary>
public sealed partial class ShardWorker : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3);

    private readonly ExtractionShards _shards;
    private readonly SharedFits _fits;
    private readonly FeatureCache _features;
    private readonly Fingerprints _prints;
    private readonly LoadedBackbones _loaded;
    private readonly TimeProvider _clock;
    private readonly ILogger<ShardWorker> _log;
    private readonly SemaphoreSlim _news = new(0, 1);

    public ShardWorker(
        ExtractionShards shards, SharedFits fits, FeatureCache features, Fingerprints prints, LoadedBackbones loaded,
        Announcements announcements, TimeProvider clock,
        ILogger<ShardWorker> log)
    {
        (_shards, _fits, _features, _prints, _loaded, _clock, _log) = (shards, fits, features, prints, loaded, clock, log);
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
                while (await HelpAsync(stopping))
                {
                }

                await _shards.SweepAsync(stopping);
                await _fits.SweepAsync(stopping);
                await _news.WaitAsync(Period, stopping);
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
                await Task.Delay(Period, _clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<bool> HelpAsync(CancellationToken stopping)
    {
        if (_shards.IsLeading)
        {
            return false;
        }

        var here = _loaded.All.ToDictionary(b => b.FeatureSpace);
        if (await _shards.ClaimAsync([.. here.Keys, Fingerprints.Space], null, stopping) is not { } shard)
        {
            return await _fits.HelpAsync(stopping);
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
