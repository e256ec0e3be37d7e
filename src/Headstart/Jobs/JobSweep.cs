using Headstart.Postgres;

namespace Headstart.Jobs;

/// <summary>Cleans up what a dead worker may leave behind.</summary>
public interface ICleanup
{
    Task SweepAsync(CancellationToken cancel);
}

/// <summary>Every few seconds finds jobs without a worker and cleans up after dead workers.</summary>
public sealed partial class JobSweep(JobWaker waker, IEnumerable<ICleanup> cleanups, DatabaseAddress database, TimeProvider clock,
    ILogger<JobSweep> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3);

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        var reclaimed = !database.IsOwn;
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            try
            {
                if (!reclaimed)
                {
                    await waker.ReclaimAllAsync(stopping);
                    reclaimed = true;
                }

                await waker.WakeLostAsync(stopping);
                foreach (var cleanup in cleanups)
                {
                    await cleanup.SweepAsync(stopping);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Probably a database that is down: a failed sweep must not end the host.
                Log.Failed(log, e.GetBaseException().Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The job sweep failed; retrying in 3 s: {Reason}")]
        public static partial void Failed(ILogger log, string reason);
    }
}
