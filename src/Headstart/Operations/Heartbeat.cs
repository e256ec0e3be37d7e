using Npgsql;

namespace Headstart.Operations;

/// <summary>
/// Says once a second, on the row that a worker has claimed, that it is alive, and learns there when its work should stop. A worker that was not
/// heard of for <see cref="Silence"/> is taken for dead.
/// </summary>
internal sealed class Heartbeat : IAsyncDisposable
{
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private readonly Func<Task<bool>> _beat;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _patience;
    private readonly CancellationTokenSource _end;
    private readonly Task _beats;

    /// <param name="beat">Renews the claim; false when the work should stop.</param>
    /// <param name="clock">Of this machine.</param>
    /// <param name="patience">For how long work goes on while the database is away.</param>
    /// <param name="stopping">The host stops.</param>
    public Heartbeat(Func<Task<bool>> beat, TimeProvider clock, TimeSpan patience, CancellationToken stopping)
    {
        (_beat, _clock, _patience) = (beat, clock, patience);
        _end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Token = _end.Token;
        _beats = BeatAsync();
    }

    /// <summary>Cancelled when the work should stop: it is no longer wanted or no longer ours, or the host stops.</summary>
    public CancellationToken Token { get; }

    public Task StopAsync() => _end.CancelAsync();

    /// <summary>The row is left as it is.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _beats;
        _end.Dispose();
    }

    private async Task BeatAsync()
    {
        await Task.Yield(); // whoever made this has it in hand before the first beat
        var renewed = _clock.GetTimestamp();
        while (!Token.IsCancellationRequested)
        {
            try
            {
                if (!await _beat())
                {
                    break;
                }

                renewed = _clock.GetTimestamp();
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException { InnerException: NpgsqlException })
            {
                // The database is away. Work goes on; if it stays away the next write ends it.
                if (_clock.GetElapsedTime(renewed) > _patience)
                {
                    break;
                }
            }

            await Task.Delay(Beat, _clock, Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _end.CancelAsync();
    }
}
