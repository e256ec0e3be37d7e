using Headstart.Data;

namespace Headstart.Training;

/// <summary>Helps with other workers' runs: reads their images, shard by shard, and fits their heads.</summary>
public sealed partial class ShardWorker : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3);

    private readonly ExtractionHelp _extraction;
    private readonly SharedFits _fits;
    private readonly TimeProvider _clock;
    private readonly ILogger<ShardWorker> _log;
    private readonly SemaphoreSlim _news = new(0, 1);

    public ShardWorker(ExtractionHelp extraction, SharedFits fits, Announcements announcements, TimeProvider clock,
        ILogger<ShardWorker> log)
    {
        (_extraction, _fits, _clock, _log) = (extraction, fits, clock, log);
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
                while (!_extraction.IsLeading && (await _extraction.HelpAsync(stopping) || await _fits.HelpAsync(stopping)))
                {
                }

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

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Helping with another worker's run failed; that run continues without this "
            + "host: {Reason}")]
        public static partial void Failed(ILogger log, string reason);
    }
}
