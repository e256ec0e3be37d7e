using System.Collections.Concurrent;

namespace Headstart.Data;

/// <summary>
/// Answers of the database in memory, so that requests do not ask it. What changes on this host is told by <see cref="Forget"/> and seen at
/// once. What changes on another one is seen when that is heard; a host that cannot hear asks again when the lifetime is over.
/// </summary>
/// <param name="lifetime">How long an answer holds that nobody would contradict.</param>
/// <param name="look"> How often an answer in use is read again although changes are heard: behind the request, which does not wait for it.
/// Finds what was changed without a word, such as by hand.
/// </param>
/// <param name="hears">Whether <see cref="Forget"/> has been called for every change until this long ago.</param>
/// <param name="clock">Measures the times.</param>
public sealed class ShortLivedCache<TKey, TValue>(TimeSpan lifetime, TimeSpan look, Func<TimeSpan, bool> hears, TimeProvider clock)
    where TKey : notnull
    where TValue : class
{
    private const int Most = 10_000; // then all are asked for again; only what exists is kept, so strangers cannot fill it

    private ConcurrentDictionary<TKey, Entry> _answers = new();

    /// <param name="key">What is asked for.</param>
    /// <param name="read">Asks the database; null where there is no such thing.</param>
    public ValueTask<TValue?> FindAsync(TKey key, Func<CancellationToken, Task<TValue?>> read, CancellationToken cancel)
    {
        var answers = Volatile.Read(ref _answers); // taken before the database is asked: see Forget
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
    /// After a change. A request that read what was before writes it into the dictionary that it began with, which nobody reads any more.
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
            known.MayReadAgain(); // whatever it was, most likely a database that is away: a request that needs it will say so
        }
    }

    private sealed class Entry(TValue value, long read)
    {
        private int _reading;

        public TValue Value => value;

        /// <summary>When the database was asked.</summary>
        public long Read => read;

        /// <summary>True for one caller.</summary>
        public bool MayRead() => Interlocked.Exchange(ref _reading, 1) == 0;

        public void MayReadAgain() => Volatile.Write(ref _reading, 0);
    }
}
