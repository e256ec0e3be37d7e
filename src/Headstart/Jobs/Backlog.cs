using System.Diagnostics.Metrics;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Jobs;

/// <summary>How many jobs are queued and running on all hosts, for autoscaling workers.</summary>
public sealed partial class Backlog(
    IDbContextFactory<HeadstartDb> databases, IEnumerable<JobKind> kinds, Telemetry telemetry, TimeProvider clock,
    ILogger<Backlog> log) : BackgroundService
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
                // Probably a database that is down: report no numbers rather than old ones.
                Volatile.Write(ref _entries, []);
                Log.Unknown(log, e.GetBaseException().Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    private async Task<IReadOnlyList<Entry>> CountAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var work = string.Join(" UNION ALL ", kinds.Select(kind => $"SELECT '{kind.Name}' AS kind, state FROM {kind.Table} WHERE state "
            + "IN ('Queued', 'Running')"));
        var count = $"SELECT kind, lower(state) AS state, count(*) AS count FROM ({work}) AS work GROUP BY kind, state";
        var counted = await db.Database.SqlQueryRaw<Entry>(count).ToListAsync(cancel);
        // An entry for each kind and state, even if it is 0: a missing number is not the same as 0.
        return [.. from kind in kinds from state in (string[])["queued", "running"]
            select counted.Find(entry => entry.Kind == kind.Name && entry.State == state) ?? new(kind.Name, state, 0)];
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot count waiting jobs: {Reason}")]
        public static partial void Unknown(ILogger log, string reason);
    }
}
