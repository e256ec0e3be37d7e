using Headstart.Data;

namespace Headstart.Operations;

/// <summary>A queue whose rows are the truth and whose wake-ups may be lost.</summary>
public interface ISwept
{
    /// <summary>
    /// Frees everything that is marked as being worked on. Only for a host that has the data folder's lock and its own database: nobody else
    /// can be working on it.
    /// </summary>
    Task ReclaimAllAsync(CancellationToken cancel);

    /// <summary>Wakes workers up for what nobody works on.</summary>
    Task SweepAsync(CancellationToken cancel);
}

/// <summary>Sweeps a queue every few seconds in a worker.</summary>
public sealed partial class Sweep<TQueue>(TQueue queue, DatabaseAddress local, TimeProvider clock, ILogger<Sweep<TQueue>> log) : BackgroundService
    where TQueue : ISwept
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3);

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        var reclaimed = !local.IsOwn;
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            try
            {
                if (!reclaimed)
                {
                    await queue.ReclaimAllAsync(stopping);
                    reclaimed = true;
                }

                await queue.SweepAsync(stopping);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Whatever it was, most likely a database that is away: a host must not end because a sweep did.
                Log.SweepFailed(log, typeof(TQueue).Name, e.GetBaseException().Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The sweep of {Queue} did not work and is tried again: {Reason}")]
        public static partial void SweepFailed(ILogger log, string queue, string reason);
    }
}
