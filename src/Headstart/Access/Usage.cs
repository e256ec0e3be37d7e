using System.Collections.Concurrent;
using System.Security.Claims;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <summary>What a key was used for on one day (UTC).</summary>
public sealed class UsageDay
{
    public required Guid KeyId { get; init; }

    public required DateOnly Day { get; init; }

    public required long Requests { get; init; }

    /// <summary>Images answered.</summary>
    public required long Predictions { get; init; }
}

/// <summary>
/// Counts in memory and adds that to the database every few seconds, so that a prediction costs no write. If the process dies, what was
/// counted since then is lost; nothing is counted twice.
/// </summary>
public sealed partial class Usage(IDbContextFactory<HeadstartDb> databases, TimeProvider clock, ILogger<Usage> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private ConcurrentDictionary<(Guid Key, DateOnly Day), Count> _counts = new();

    /// <summary>A request that had a key in its header; what pages do to draw themselves is not counted.</summary>
    public void CountRequest(ClaimsPrincipal caller) => Interlocked.Increment(ref Of(caller).Requests);

    /// <summary>An image was answered, for a program or for a page.</summary>
    public void CountPrediction(ClaimsPrincipal caller) => Interlocked.Increment(ref Of(caller).Predictions);

    /// <summary>Writes down what was counted.</summary>
    public async Task WriteAsync(CancellationToken cancel)
    {
        var counted = Interlocked.Exchange(ref _counts, new());
        if (counted.IsEmpty)
        {
            return;
        }

        // Who got hold of a count before the exchange may still add to it: what comes after this reading is lost, a request or two a day.
        var rows = counted.Select(c => (c.Key, Requests: Interlocked.Read(ref c.Value.Requests), Predictions: Interlocked.Read(ref c.Value.Predictions)))
            .OrderBy(r => r.Key.Key).ThenBy(r => r.Key.Day).ToArray(); // in one order, so that two hosts do not deadlock
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO usage_days (key_id, day, requests, predictions)
                SELECT key_id, day, requests, predictions
                FROM unnest({rows.Select(r => r.Key.Key).ToArray()}, {rows.Select(r => r.Key.Day).ToArray()}, {rows.Select(r => r.Requests).ToArray()}, {rows.Select(r => r.Predictions).ToArray()})
                    AS new (key_id, day, requests, predictions)
                WHERE EXISTS (SELECT FROM api_keys WHERE id = key_id)
                ON CONFLICT (key_id, day) DO UPDATE SET requests = usage_days.requests + excluded.requests, predictions = usage_days.predictions + excluded.predictions
                """, cancel);
        }
        catch (Exception e) when (Operations.ExceptionProblems.Describe(e) is (StatusCodes.Status503ServiceUnavailable, _, _))
        {
            foreach (var row in rows) // the database is away: the next time
            {
                var count = _counts.GetOrAdd(row.Key, _ => new());
                Interlocked.Add(ref count.Requests, row.Requests);
                Interlocked.Add(ref count.Predictions, row.Predictions);
            }

            Log.Later(log, e.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                await WriteAsync(stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }

        await WriteAsync(CancellationToken.None);
    }

    private Count Of(ClaimsPrincipal caller) =>
        _counts.GetOrAdd((caller.KeyId(), DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime)), static _ => new());

    private sealed class Count
    {
        public long Requests;
        public long Predictions;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "What keys were used for could not be written down and will be later: {Reason}")]
        public static partial void Later(ILogger log, string reason);
    }
}
