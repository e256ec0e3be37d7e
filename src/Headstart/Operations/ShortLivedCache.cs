using System.Collections.Concurrent;

namespace Headstart.Operations;

/// <summary>
/// Answers of the database that hold for a moment, so that not every request asks it. What changes on this host is told by
/// <see cref="Forget"/> and seen at once; what changes on another one is seen when the lifetime is over.
/// </summary>
/// <param name="lifetime">How long an answer holds.</param>
/// <param name="clock">Measures it.</param>
public sealed class ShortLivedCache<TKey, TValue>(TimeSpan lifetime, TimeProvider clock)
    where TKey : notnull
    where TValue : class
{
    private const int Most = 10_000; // then all are asked for again; only what exists is kept, so strangers cannot fill it

    private ConcurrentDictionary<TKey, (TValue Value, long Read)> _answers = new();

    /// <param name="key">What is asked for.</param>
    /// <param name="read">Asks the database; null where there is no such thing.</param>
    public async Task<TValue?> FindAsync(TKey key, Func<Task<TValue?>> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var answers = Volatile.Read(ref _answers); // taken before the database is asked: see Forget
        if (answers.TryGetValue(key, out var known) && clock.GetElapsedTime(known.Read) < lifetime)
        {
            return known.Value;
        }

        var started = clock.GetTimestamp();
        if (await read() is not { } value)
        {
            answers.TryRemove(key, out _);
            return null;
        }

        if (answers.Count >= Most)
        {
            Forget();
        }

        answers[key] = (value, started);
        return value;
    }

    /// <summary>
    /// After a change. A request that read what was before writes it into the dictionary that it began with, which nobody reads any more.
    /// </summary>
    public void Forget() => Volatile.Write(ref _answers, new());
}
