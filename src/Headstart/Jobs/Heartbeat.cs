using Npgsql;

namespace Headstart.Jobs;

/// <summary>Renews a lease once a second until it is lost or disposed.</summary>
internal sealed class Heartbeat : IAsyncDisposable
{
    /// <summary>How long a lease lasts without renewal.</summary>
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private readonly Func<Task<bool>> _renew;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _end;
    private readonly Task _beats;

    /// <param name="renew">Renews the lease; false if it is lost.</param>
    /// <param name="clock">Clock of this machine.</param>
    /// <param name="stopping">Cancelled when the host stops.</param>
    public Heartbeat(Func<Task<bool>> renew, TimeProvider clock, CancellationToken stopping)
    {
        (_renew, _clock) = (renew, clock);
        _end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Token = _end.Token;
        _beats = BeatAsync();
    }

    /// <summary>Cancelled when the work should stop.</summary>
    public CancellationToken Token { get; }

    public Task StopAsync() => _end.CancelAsync();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _beats;
        _end.Dispose();
    }

    private async Task BeatAsync()
    {
        await Task.Yield(); // let the constructor return before the first beat
        var renewed = _clock.GetTimestamp();
        while (!Token.IsCancellationRequested)
        {
            try
            {
                if (!await _renew())
                {
                    break;
                }

                renewed = _clock.GetTimestamp();
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException { InnerException: NpgsqlException })
            {
                // The database is down. Work continues until the lease runs out by our own clock; then another worker may take the job.
                if (_clock.GetElapsedTime(renewed) > LeaseDuration)
                {
                    break;
                }
            }

            await Task.Delay(Beat, _clock, Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _end.CancelAsync();
    }
}
