using System.Collections.Concurrent;
using System.Security.Claims;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <summary>
/// Counts in memory and adds the counts to the database every few seconds, so that a prediction costs no write. If the process dies, the
/// counts since the last write are lost; nothing is counted twice.
/// </summary>
public sealed partial class Usage(IDbContextFactory<HeadstartDb> databases, TimeProvider clock, ILogger<Usage> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<(Guid Account, Guid Key, DateOnly Day), Count> _counts = new();
    private readonly ConcurrentDictionary<(Guid Account, DateOnly Day), Total> _totals = new();
    private readonly SemaphoreSlim _writing = new(1);

    /// <summary>Counts a request with an API key in its header; requests of pages are not counted.</summary>
    public void CountRequest(ClaimsPrincipal caller) => Interlocked.Increment(ref Of(caller).Requests);

    /// <summary>Counts one predicted image or text, from a program or a page.</summary>
    public void CountPrediction(ClaimsPrincipal caller) => CountPredictions(caller, 1);

    /// <summary>Counts the predictions of a batch; negative for a batch that failed.</summary>
    public void CountPredictions(ClaimsPrincipal caller, int count)
    {
        Interlocked.Add(ref Of(caller).Predictions, count);
        Interlocked.Add(ref TotalOf(caller.AccountId(), Today).Unwritten, count);
    }

    /// <summary>
    /// Predictions of the account since midnight (UTC): this host's own counts plus the database's total at the last write. The database is
    /// read once per day and account and after each write. Predictions of other hosts are missing for at most ten seconds.
    /// </summary>
    public async Task<long> PredictionsTodayAsync(Guid account, CancellationToken cancel)
    {
        var day = Today;
        var total = TotalOf(account, day);
        if (Volatile.Read(ref total.Written) < 0)
        {
            await _writing.WaitAsync(cancel); // otherwise counts being written are missed or counted twice
            try
            {
                await ReadTotalsAsync(day, [account], cancel);
            }
            finally
            {
                _writing.Release();
            }
        }

        return Math.Max(0, Volatile.Read(ref total.Written)) + Volatile.Read(ref total.Unwritten);
    }

    /// <summary>Counts the images of a batch if the day's quota allows them; otherwise returns the quota.</summary>
    public async Task<QuotaUse?> TakeAsync(ClaimsPrincipal caller, int count, CancellationToken cancel)
    {
        if (await ExceededAsync(caller, count, cancel) is { } exceeded)
        {
            return exceeded;
        }

        CountPredictions(caller, count);
        return null;
    }

    /// <summary>The day's quota, if so many more predictions would exceed it; counts nothing.</summary>
    public async Task<QuotaUse?> ExceededAsync(ClaimsPrincipal caller, int count, CancellationToken cancel)
    {
        if (caller.Limit(Quota.PredictionsPerDay) is { } limit)
        {
            var used = await PredictionsTodayAsync(caller.AccountId(), cancel);
            if (used + count > limit)
            {
                return new(Quota.PredictionsPerDay, limit, used);
            }
        }

        return null;
    }

    /// <summary>Writes the counts to the database.</summary>
    public async Task WriteAsync()
    {
        await _writing.WaitAsync();
        try
        {
            await AddAsync();
            await ReadTotalsAsync(Today, [.. _totals.Where(t => t.Key.Day == Today && t.Value.Written >= 0).Select(t => t.Key.Account)],
                default);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Probably a database that is down: this must not end the host, and the next write may succeed.
            Log.Later(log, e.GetBaseException().Message);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Adds the counts to the rows; if that fails, they stay in memory.</summary>
    private async Task AddAsync()
    {
        // Reset, not replaced: what is counted meanwhile belongs to the next write.
        var rows = _counts.Select(c => (c.Key, Requests: Interlocked.Exchange(ref c.Value.Requests, 0),
            Predictions: Interlocked.Exchange(ref c.Value.Predictions, 0)))
            // in one order, so that two hosts do not deadlock
            .Where(r => r.Requests != 0 || r.Predictions != 0).OrderBy(r => r.Key.Key).ThenBy(r => r.Key.Day).ToArray();
        if (rows.Length == 0)
        {
            return;
        }

        try
        {
            await using var db = await databases.CreateDbContextAsync();
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO usage_days (key_id, day, requests, predictions)
                SELECT key_id, day, requests, predictions
                FROM unnest({rows.Select(r => r.Key.Key).ToArray()}, {rows.Select(r => r.Key.Day).ToArray()}, {rows.Select(r => r.Requests).ToArray()}, {rows.Select(r => r.Predictions).ToArray()})
                    AS new (key_id, day, requests, predictions)
                WHERE EXISTS (SELECT FROM api_keys WHERE id = key_id)
                ON CONFLICT (key_id, day) DO UPDATE SET requests = usage_days.requests + excluded.requests, predictions = usage_days.predictions + excluded.predictions
                """);
        }
        catch
        {
            foreach (var row in rows)
            {
                Interlocked.Add(ref _counts[row.Key].Requests, row.Requests);
                Interlocked.Add(ref _counts[row.Key].Predictions, row.Predictions);
            }

            throw;
        }

        foreach (var row in rows)
        {
            var total = TotalOf(row.Key.Account, row.Key.Day);
            Interlocked.Add(ref total.Unwritten, -row.Predictions);
            Interlocked.Add(ref total.Written, total.Written < 0 ? 0 : row.Predictions);
        }
    }

    /// <summary>Reads what all hosts have written for these accounts.</summary>
    private async Task ReadTotalsAsync(DateOnly day, Guid[] accounts, CancellationToken cancel)
    {
        if (accounts.Length == 0)
        {
            return;
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        var sums = await db.UsageDays.Where(u => u.Day == day)
            .Join(db.ApiKeys.Where(k => accounts.Contains(k.AccountId)), u => u.KeyId, k => k.Id, (u, k) =>
            new { k.AccountId, u.Predictions })
            .GroupBy(u => u.AccountId).Select(g => new { Account = g.Key, Sum = g.Sum(u => u.Predictions) })
                .ToDictionaryAsync(s => s.Account, s => s.Sum, cancel);
        foreach (var account in accounts)
        {
            Volatile.Write(ref TotalOf(account, day).Written, sums.GetValueOrDefault(account));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                await WriteAsync();
                Forget();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }

        await WriteAsync();
    }

    /// <summary>Drops days before yesterday, which get no more counts.</summary>
    private void Forget()
    {
        foreach (var (key, count) in _counts.Where(c => c.Key.Day < Today.AddDays(-1) && c.Value is { Requests: 0, Predictions: 0 }))
        {
            _counts.TryRemove(new(key, count));
        }

        foreach (var old in _totals.Keys.Where(t => t.Day < Today.AddDays(-1)))
        {
            _totals.TryRemove(old, out _);
        }
    }

    private DateOnly Today => DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);

    private Count Of(ClaimsPrincipal caller) => _counts.GetOrAdd((caller.AccountId(), caller.KeyId(), Today), static _ => new());

    private Total TotalOf(Guid account, DateOnly day) => _totals.GetOrAdd((account, day), static _ => new());

    private sealed class Count
    {
        public long Requests;
        public long Predictions;
    }

    /// <summary>Predictions of one account on one day.</summary>
    private sealed class Total
    {
        public long Unwritten; // by this host
        public long Written = -1; // by all hosts; negative until it is read
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot write usage counts; retrying in 5 s: {Reason}")]
        public static partial void Later(ILogger log, string reason);
    }
}
