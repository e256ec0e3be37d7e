using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <summary>How much an account stores.</summary>
/// <param name="Images">Images and texts.</param>
/// <param name="Bytes">Bytes of images, texts and batch files.</param>
public sealed record Stored(long Models, long Images, long Bytes);

/// <summary>What is left of the quotas for images and bytes; reliable only while the account is locked.</summary>
public sealed class RemainingQuota(Quotas quotas, Stored stored)
{
    private long _images = stored.Images;
    private long _bytes = stored.Bytes;

    /// <summary>Whether one more example of this size would have room; reserves nothing.</summary>
    public bool Fits(long bytes) => (quotas.Images is not { } most || _images < most) && Exceeded(bytes) is null;

    /// <summary>Reserves room for one more example.</summary>
    /// <returns>The quota that is exceeded; null when there is room.</returns>
    public QuotaUse? Take(long bytes)
    {
        if (_images >= quotas.Images)
        {
            return new(Quota.Images, quotas.Images, _images);
        }

        if (Exceeded(bytes) is { } exceeded)
        {
            return exceeded;
        }

        _images++;
        _bytes += bytes;
        return null;
    }

    /// <summary>The quota that this many more bytes would exceed, or null; reserves nothing.</summary>
    public QuotaUse? Exceeded(long bytes) => _bytes + bytes > quotas.Bytes ? new(Quota.Bytes, quotas.Bytes, _bytes) : null;
}

/// <summary>
/// Quotas on what the database stores. To add something, lock the account, check and add in one transaction: concurrent requests then wait
/// for each other and cannot exceed a quota together. Accounts without quotas are not locked. The rows of the models keep running totals
/// (see <see cref="Model.Examples"/>), so a check takes no longer when there are many images.
/// </summary>
public static class AccountQuotas
{
    /// <summary>Locks the account if it has quotas, so that no other transaction adds anything to it.</summary>
    public static async Task<Quotas> HoldQuotasAsync(this HeadstartDb db, Guid account)
    {
        if (await db.QuotasAsync(account, default) is { Images: null, Bytes: null, Models: null, ConcurrentRuns: null } none)
        {
            return none;
        }

        await db.Database.ExecuteSqlAsync($"SELECT FROM accounts WHERE id = {account} FOR NO KEY UPDATE");
        return await db.QuotasAsync(account, default); // read again: they may have changed during the wait
    }

    public static async Task<Quotas> QuotasAsync(this HeadstartDb db, Guid account, CancellationToken cancel) =>
        await db.Accounts.Where(a => a.Id == account).Select(a => a.Quotas).SingleOrDefaultAsync(cancel) ?? new();

    /// <summary>Locks the account. Null when it has no limit for images and bytes.</summary>
    public static async Task<RemainingQuota?> HoldRemainingQuotaAsync(this HeadstartDb db, Guid account) =>
        await db.RemainingQuotaAsync(account, await db.HoldQuotasAsync(account), default);

    /// <summary>Does not lock the account. Null when it has no limit for images and bytes.</summary>
    public static async Task<RemainingQuota?> RemainingQuotaAsync(this HeadstartDb db, Guid account, CancellationToken cancel) =>
        await db.RemainingQuotaAsync(account, await db.QuotasAsync(account, cancel), cancel);

    public static async Task<Stored> StoredAsync(this HeadstartDb db, Guid account, CancellationToken cancel)
    {
        var models = await db.Models.Where(m => m.AccountId == account).GroupBy(m => m.AccountId)
            .Select(g => new Stored(g.LongCount(), g.Sum(m => m.Examples), g.Sum(m => m.ExampleBytes))).SingleOrDefaultAsync(cancel)
                ?? new(0, 0, 0);
        var batches = await db.BatchPredictions.Where(b => db.Models.Any(m => m.Id == b.ModelId && m.AccountId == account))
            .SumAsync(b => b.Bytes, cancel);
        return models with { Bytes = models.Bytes + batches };
    }

    /// <summary>
    /// Locks the account. The bodies of its unfinished imports may take as many bytes as its quota for stored ones. They are counted apart
    /// from these: otherwise a body would leave no room for its own images, and none for images that are stored already.
    /// </summary>
    /// <returns>The quota that one more body would exceed; null if there is room.</returns>
    public static async Task<QuotaUse?> ExceededByImportAsync(this HeadstartDb db, Guid account, long bytes, CancellationToken cancel)
    {
        if ((await db.HoldQuotasAsync(account)).Bytes is not { } limit)
        {
            return null;
        }

        var used = await db.Imports.Where(i => (i.State == JobState.Queued || i.State == JobState.Running)
            && db.Models.Any(m => m.Id == i.ModelId && m.AccountId == account)).SumAsync(i => i.SourceBytes, cancel);
        return used + bytes > limit ? new(Quota.Bytes, limit, used) { OfImports = true } : null;
    }

    /// <summary>Locks the account.</summary>
    /// <returns>How many training runs it may start now, and the quota that limits them.</returns>
    public static async Task<(int Left, QuotaUse? Quota)> LeftForRunsAsync(this HeadstartDb db, Guid account, CancellationToken cancel)
    {
        if ((await db.HoldQuotasAsync(account)).ConcurrentRuns is not { } limit)
        {
            return (int.MaxValue, null);
        }

        var used = await db.RunsUnderWayAsync(account, cancel);
        return ((int)Math.Clamp(limit - used, 0, int.MaxValue), new(Quota.ConcurrentRuns, limit, used));
    }

    private static async Task<RemainingQuota?> RemainingQuotaAsync(this HeadstartDb db, Guid account, Quotas quotas,
        CancellationToken cancel) =>
        (quotas.Images ?? quotas.Bytes) is null ? null : new(quotas, await db.StoredAsync(account, cancel));

    /// <summary>Training runs that are queued or running.</summary>
    public static Task<long> RunsUnderWayAsync(this HeadstartDb db, Guid account, CancellationToken cancel) => db.TrainingRuns
        .Where(r => r.State == JobState.Queued || r.State == JobState.Running)
            .LongCountAsync(r => db.Models.Any(m => m.Id == r.ModelId && m.AccountId == account), cancel);
}
