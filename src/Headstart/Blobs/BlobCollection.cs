namespace Headstart.Blobs;

/// <summary>
/// Runs the collector regularly in a worker. Several workers run it one after the other, which costs each a listing; a collection may be
/// skipped, or start again after a crash.
/// </summary>
public sealed partial class BlobCollection(BlobCollector collector, BlobSettings settings, TimeProvider clock,
    ILogger<BlobCollection> log) : BackgroundService
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        var every = TimeSpan.FromHours(settings.CollectEveryHours);
        var soon = every < Soon ? every : Soon;
        // Not during the busy start, but soon after it, as a host may run for less than a day.
        for (var pause = soon; ; pause = await CollectAsync(stopping) ? every : soon)
        {
            await Task.Delay(pause, clock, stopping);
        }
    }

    private async Task<bool> CollectAsync(CancellationToken stopping)
    {
        try
        {
            return await collector.CollectAsync(stopping) is not null;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Probably a database or store that is down: this must not end the host.
            Log.Failed(log, e.GetBaseException().Message);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Blob collection failed; retrying later: {Reason}")]
        public static partial void Failed(ILogger log, string reason);
    }
}
