namespace Headstart.Blobs;

/// <summary>
/// Collects now and then in a worker. Several workers do so one after the other, which costs them a listing each; a collection may be left
/// out, and begin anew after a crash.
/// </summary>
public sealed partial class BlobCollection(BlobCollector collector, BlobSettings settings, TimeProvider clock,
    ILogger<BlobCollection> log) : BackgroundService
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        var every = TimeSpan.FromHours(settings.CollectEveryHours);
        var soon = every < Soon ? every : Soon;
        // Not during the start, which is busy, but soon, as a host may not run for a day.
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
            // Whatever it was, most likely a database or a store that is away: a host must not end because of it.
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
