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

    /// <summary>Images and texts answered.</summary>
    public required long Predictions { get; init; }
}

/// <summary>
/// Counts in memory and adds that to the database every few seconds, so that a prediction costs no write. If the process dies, what was
/// counted since then is lost; nothing is counted twice.
/// </summary>
public sealed partial class Usage(IDbContextFactory<HeadstartDb> databases, TimeProvider clock, ILogger<Usage> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<(Guid Key, DateOnly Day), Count> _counts = new();

    /// <summary>A request that had a key in its header; what pages do to draw themselves is not counted.</summary>
    public void CountRequest(ClaimsPrincipal caller) => Interlocked.Increment(ref Of(caller).Requests);

    /// <summary>An image or a text was answered, for a program or for a page.</summary>
    public void CountPrediction(ClaimsPrincipal caller) => Interlocked.Increment(ref Of(caller).Predictions);

    /// <summary>Writes down what was counted.</summary>
    public async Task WriteAsync()
    {
        // A count stays where it is and gives away what it has: whoever adds meanwhile adds to the next time.
        var rows = _counts.Select(c => (c.Key, Requests: Interlocked.Exchange(ref c.Value.Requests, 0), Predictions: Interlocked.Exchange(ref c.Value.Predictions, 0)))
            .Where(r => r.Requests > 0 || r.Predictions > 0).OrderBy(r => r.Key.Key).ThenBy(r => r.Key.Day).ToArray(); // in one order, so that two hosts do not deadlock
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
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever it was, most likely a database that is away: a host must not end because its counting did, and the next time may work.
            foreach (var row in rows)
            {
                Interlocked.Add(ref _counts[row.Key].Requests, row.Requests);
                Interlocked.Add(ref _counts[row.Key].Predictions, row.Predictions);
            }

            Log.Later(log, e.GetBaseException().Message);
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

    /// <summary>Drops what is not counted to any more: the days before yesterday.</summary>
    private void Forget()
    {
        foreach (var (key, count) in _counts.Where(c => c.Key.Day < Today.AddDays(-1) && c.Value is { Requests: 0, Predictions: 0 }))
        {
            _counts.TryRemove(new(key, count));
        }
    }

    private DateOnly Today => DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);

    private Count Of(ClaimsPrincipal caller) => _counts.GetOrAdd((caller.KeyId(), Today), static _ => new());

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
