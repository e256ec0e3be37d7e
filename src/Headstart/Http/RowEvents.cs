using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Http;

/// <summary>The changes of a row as server-sent events. The row decides, so this works on every node.</summary>
internal static class RowEvents
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    /// <param name="row">One row, or none once it is deleted.</param>
    /// <param name="show">What is sent of it.</param>
    /// <param name="hasEnded">Whether nothing comes after this.</param>
    /// <param name="clock">Of this machine.</param>
    /// <param name="stopping">The host stops.</param>
    /// <param name="cancel">The client has gone.</param>
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
            // One that does not change is sent again as a sign of life.
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
