using System.Collections.Concurrent;

namespace Headstart.Data;

/// <summary>
/// Caches database rows in memory, so that requests need no query. Changes on this host call <see cref="Forget"/> and take effect at once.
/// Changes on another host take effect when its notification arrives; without notifications, entries are read again after their lifetime.
/// </summary>
/// <param name="lifetime">How long an entry is valid without notifications.</param>
/// <param name="look">How often an entry in use is read again in the background although notifications arrive. Finds changes without
/// notification, such as manual ones.</param>
/// <param name="hears">Whether <see cref="Forget"/> has been called for every change up to this long ago.</param>
/// <param name="clock">Measures the times.</param>
public sealed class ShortLivedCache<TKey, TValue>(TimeSpan lifetime, TimeSpan look, Func<TimeSpan, bool> hears, TimeProvider clock)
    where TKey : notnull
    where TValue : class
{
    private const int Most = 10_000; // then all entries are dropped; only existing rows are cached, so strangers cannot fill it

    private ConcurrentDictionary<TKey, Entry> _answers = new();

    /// <param name="key">Key of the row.</param>
    /// <param name="read">Queries the database; null if there is no such row.</param>
    public ValueTask<TValue?> FindAsync(TKey key, Func<CancellationToken, Task<TValue?>> read, CancellationToken cancel)
    {
        var answers = Volatile.Read(ref _answers); // taken before the query, see Forget
        if (!answers.TryGetValue(key, out var known) || clock.GetElapsedTime(known.Read) is var age && age >= lifetime && !hears(lifetime))
        {
            return new(ReadAsync(answers, key, read, cancel));
        }

        if (age >= look && known.MayRead())
        {
            using var unrelated = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
            _ = Task.Run(() => ReadBehindAsync(answers, key, known, read), CancellationToken.None);
        }

        return new(known.Value);
    }

    /// <summary>
    /// Call this after a change. A request that is reading the previous state stores it in the old dictionary, which nobody reads any more.
    /// </summary>
    public void Forget() => Volatile.Write(ref _answers, new());

    private async Task<TValue?> ReadAsync(ConcurrentDictionary<TKey, Entry> answers, TKey key, Func<CancellationToken, Task<TValue?>> read,
        CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        if (await read(cancel) is not { } value)
        {
            answers.TryRemove(key, out _);
            return null;
        }

        if (answers.Count >= Most)
        {
            Forget();
        }

        answers[key] = new(value, started);
        return value;
    }

    private async Task ReadBehindAsync(ConcurrentDictionary<TKey, Entry> answers, TKey key, Entry known,
        Func<CancellationToken, Task<TValue?>> read)
    {
        try
        {
            await ReadAsync(answers, key, read, CancellationToken.None);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            known.MayReadAgain(); // probably a database that is down: a request that needs the entry will report it
        }
    }

    private sealed class Entry(TValue value, long read)
    {
        private int _reading;

        public TValue Value => value;

        /// <summary>When the database was queried.</summary>
        public long Read => read;

        /// <summary>True for one caller only.</summary>
        public bool MayRead() => Interlocked.Exchange(ref _reading, 1) == 0;

        public void MayReadAgain() => Volatile.Write(ref _reading, 0);
    }
}
