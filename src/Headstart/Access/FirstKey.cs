using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <summary>The default account and the key that opens a new installation.</summary>
public sealed class FirstKey(IDbContextFactory<HeadstartDb> databases, Settings settings, TimeProvider clock)
{
    /// <summary>Makes <c>Headstart:BootstrapKey</c> valid at every start, which also restores access after the last key was lost.</summary>
    public async Task AddConfiguredAsync(CancellationToken cancel)
    {
        if (settings.BootstrapKey is { Length: > 0 } key)
        {
            await AddAsync(key, onlyIfNone: false, cancel);
        }
    }

    /// <summary>A new admin key if the installation has no key, otherwise null.</summary>
    public async Task<string?> MakeAsync()
    {
        var key = Secrets.NewKey();
        return string.IsNullOrEmpty(settings.BootstrapKey) && await AddAsync(key, onlyIfNone: true, default) ? key : null;
    }

    private async Task<bool> AddAsync(string secret, bool onlyIfNone, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // several hosts may start at once
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({Schema.AdvisoryLock})", cancel);
        var hash = Secrets.Hash(secret);
        if (await db.ApiKeys.AnyAsync(k => onlyIfNone || k.Hash == hash, cancel))
        {
            return false;
        }

        var account = await db.Accounts.Where(a => a.IsOperator).OrderBy(a => a.Id).FirstOrDefaultAsync(cancel);
        if (account is null)
        {
            account = new Account { Id = Guid.CreateVersion7(), Name = "default", IsOperator = true, CreatedAt = clock.Now() };
            db.Add(account);
        }

        db.Add(Secrets.Entity(account.Id, "first key", secret, Scopes.All, clock.Now()));
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }
}
