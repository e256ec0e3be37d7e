using System.Diagnostics.Metrics;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Operations;

/// <summary>How much work waits for workers and is being worked on, on all hosts together, for whoever adds and removes workers.</summary>
public sealed partial class Backlog(IDbContextFactory<HeadstartDb> databases, Telemetry telemetry, TimeProvider clock, ILogger<Backlog> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private IReadOnlyList<Entry> _entries = [];

    private sealed record Entry(string Kind, string State, long Count);

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        telemetry.WatchBacklog(() => Volatile.Read(ref _entries)
            .Select(entry => new Measurement<long>(entry.Count, new("kind", entry.Kind), new("state", entry.State))));
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            try
            {
                Volatile.Write(ref _entries, await CountAsync(stopping));
            }
            catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
            {
                // Whatever it was, most likely a database that is away: what nobody knows is not shown.
                Volatile.Write(ref _entries, []);
                Log.Unknown(log, e.GetBaseException().Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    private async Task<List<Entry>> CountAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        // A row for each kind and state, also where there is nothing: a missing number and none are not the same.
        return await db.Database.SqlQuery<Entry>($"""
            SELECT kind, lower(state) AS state, (SELECT count(*) FROM (
                    SELECT 'training' AS kind, state FROM training_runs WHERE state IN ('Queued', 'Running')
                    UNION ALL SELECT 'imports', state FROM imports WHERE state IN ('Queued', 'Running')
                    UNION ALL SELECT 'searches', state FROM image_searches WHERE state IN ('Queued', 'Running')
                    UNION ALL SELECT 'batches', state FROM batch_predictions WHERE state IN ('Queued', 'Running')) AS work
                WHERE work.kind = kinds.kind AND work.state = states.state) AS count
            FROM unnest(ARRAY['training', 'imports', 'searches', 'batches']) AS kinds (kind), unnest(ARRAY['Queued', 'Running']) AS states (state)
            """).ToListAsync(cancel);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "How much work waits is not known at the moment: {Reason}")]
        public static partial void Unknown(ILogger log, string reason);
    }
}
