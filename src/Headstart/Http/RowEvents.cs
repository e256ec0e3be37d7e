using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Http;

/// <summary>Sends the changes of a row as server-sent events. It polls the row, so it works on every node.</summary>
internal static class RowEvents
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    /// <param name="row">Queries the row; no result once it is deleted.</param>
    /// <param name="show">Converts the row to what is sent.</param>
    /// <param name="hasEnded">Whether this is the last state.</param>
    /// <param name="clock">Clock of this machine.</param>
    /// <param name="stopping">Cancelled when the host stops.</param>
    /// <param name="cancel">Cancelled when the client disconnects.</param>
    public static async IAsyncEnumerable<SseItem<T>> WatchAsync<TRow, T>(
        IQueryable<TRow> row, Func<TRow, T> show, Func<T, bool> hasEnded, TimeProvider clock, CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken cancel)
        where TRow : class
    {
        string? last = null;
        var sent = clock.GetTimestamp();
        while (!stopping.IsCancellationRequested && await row.AsNoTracking().SingleOrDefaultAsync(cancel) is { } current)
        {
            var shown = show(current);
            var text = JsonSerializer.Serialize(shown);
            // An unchanged row is sent again as a heartbeat.
            if (text != last || clock.GetElapsedTime(sent) > Heartbeat)
            {
                (last, sent) = (text, clock.GetTimestamp());
                yield return new SseItem<T>(shown);
            }

            if (hasEnded(shown))
            {
                yield break;
            }

            await Task.Delay(PollInterval, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
