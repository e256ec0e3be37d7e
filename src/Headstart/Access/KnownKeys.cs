using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <param name="Id">Id of the key.</param>
/// <param name="IsOperator">Whether its account is the installation's first.</param>
/// <param name="Quotas">Quotas of its account.</param>
public sealed record KnownKey(Guid Id, Guid AccountId, string Name, IReadOnlyList<Scope> Scopes, DateTime? ExpiresAt, bool IsOperator,
    Quotas Quotas);

/// <summary>
/// Remembers recently used keys. A key revoked on this host stops working before the response is sent; one revoked on another host stops
/// when its notification arrives, after two seconds at most.
/// </summary>
public sealed class KnownKeys
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(2);

    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly TimeProvider _clock;
    private readonly ShortLivedCache<string, KnownKey> _keys;

    public KnownKeys(IDbContextFactory<HeadstartDb> databases, Announcements announcements, TimeProvider clock)
    {
        (_databases, _clock, _keys) = (databases, clock, new(Lifetime, Lifetime, announcements.HasHeard, clock));
        announcements.Listen(Announcement.Keys, Forget);
    }

    /// <summary>The valid key with this hash, or null.</summary>
    public async Task<KnownKey?> FindAsync(byte[] hash, CancellationToken cancel) =>
        await ReadAsync(hash, cancel) is { } key && !HasExpired(key) ? key : null;

    /// <summary>Whether the key with this hash exists but has expired.</summary>
    public async Task<bool> HasExpiredAsync(byte[] hash, CancellationToken cancel) =>
        await ReadAsync(hash, cancel) is { } key && HasExpired(key);

    /// <summary>To be called after a key was revoked or an account changed.</summary>
    public void Forget() => _keys.Forget();

    private bool HasExpired(KnownKey key) => key.ExpiresAt <= _clock.GetUtcNow().UtcDateTime;

    private ValueTask<KnownKey?> ReadAsync(byte[] hash, CancellationToken cancel) => _keys.FindAsync(Convert.ToHexStringLower(hash),
        async token =>
        {
            await using var db = await _databases.CreateDbContextAsync(token);
            return await db.ApiKeys.Where(k => k.Hash == hash && k.RevokedAt == null)
                .Join(db.Accounts, k => k.AccountId, a => a.Id, (k, a) =>
                    new KnownKey(k.Id, a.Id, k.Name, k.Scopes, k.ExpiresAt, a.IsOperator, a.Quotas)).SingleOrDefaultAsync(token);
        }, cancel);
}
