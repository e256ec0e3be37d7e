using Headstart.Data;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <param name="Id">Of the key.</param>
public sealed record KnownKey(Guid Id, Guid AccountId, bool IsAdmin);

/// <summary>
/// The keys that were used in the last moments. A key revoked on this host stops working with the answer to that; one revoked on another
/// host, when that is heard, and two seconds later at most.
/// </summary>
public sealed class KnownKeys
{
    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly Recent<string, KnownKey> _keys;

    public KnownKeys(IDbContextFactory<HeadstartDb> databases, Announcements announcements, TimeProvider clock)
    {
        (_databases, _keys) = (databases, new(TimeSpan.FromSeconds(2), clock));
        announcements.Listen(Announcement.Keys, Forget);
    }

    /// <summary>The key with this hash, or null where there is none that is valid.</summary>
    public Task<KnownKey?> FindAsync(byte[] hash, CancellationToken cancel) => _keys.FindAsync(Convert.ToHexStringLower(hash), async () =>
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        return await db.ApiKeys.Where(k => k.Hash == hash && k.RevokedAt == null).Select(k => new KnownKey(k.Id, k.AccountId, k.IsAdmin)).SingleOrDefaultAsync(cancel);
    });

    /// <summary>After a key was revoked.</summary>
    public void Forget() => _keys.Forget();
}
