using System.Collections.Concurrent;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <param name="Id">Of the key.</param>
public sealed record KnownKey(Guid Id, Guid AccountId, bool IsAdmin);

/// <summary>
/// The keys that were used in the last moments, so that not every request asks the database. A key revoked on this host stops working with
/// the answer to that; one revoked on another host, two seconds later at most.
/// </summary>
public sealed class KnownKeys(IDbContextFactory<HeadstartDb> databases, TimeProvider clock)
{
    private const int MostKeys = 10_000; // then all are asked for again; only keys that exist are kept, so strangers cannot fill it

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(2);

    private ConcurrentDictionary<string, (KnownKey Key, long Read)> _keys = new();

    /// <summary>The key with this hash, or null where there is none that is valid.</summary>
    public async Task<KnownKey?> FindAsync(byte[] hash, CancellationToken cancel)
    {
        var name = Convert.ToHexStringLower(hash);
        var keys = Volatile.Read(ref _keys); // taken before the database is asked: see Forget
        if (keys.TryGetValue(name, out var known) && clock.GetElapsedTime(known.Read) < Lifetime)
        {
            return known.Key;
        }

        var read = clock.GetTimestamp();
        await using var db = await databases.CreateDbContextAsync(cancel);
        var key = await db.ApiKeys.AsNoTracking().Where(k => k.Hash == hash && k.RevokedAt == null)
            .Select(k => new KnownKey(k.Id, k.AccountId, k.IsAdmin)).SingleOrDefaultAsync(cancel);
        if (key is null)
        {
            keys.TryRemove(name, out _);
            return null;
        }

        if (keys.Count >= MostKeys)
        {
            Forget();
        }

        keys[name] = (key, read);
        return key;
    }

    /// <summary>
    /// After a key was revoked. A request that read it just before writes it into the dictionary that it began with, which nobody reads any more.
    /// </summary>
    public void Forget() => Volatile.Write(ref _keys, new());
}
