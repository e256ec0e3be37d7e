namespace Headstart.Jobs;

/// <summary>All statements of the kernel on a job's row. They use the database's time, so that hosts with different clocks agree.</summary>
internal sealed class JobStatements
{
    private static readonly string LeaseDuration = $"interval '{JobLease.Duration.TotalSeconds:0} seconds'";

    private JobStatements(JobKind kind)
    {
        var table = kind.Table;
        var ready = kind.OneByOne
            ? $"NOT EXISTS (SELECT FROM {table} AS other WHERE other.model_id = job.model_id AND other.id < job.id AND other.state IN "
                + "('Queued', 'Running'))"
            : "true";
        var oldest = kind.OneByOne ? ready
            : $"NOT EXISTS (SELECT FROM {table} AS other WHERE other.id < job.id AND other.state = 'Queued')";
        Take = $$"""
            UPDATE {{table}} AS job
            SET state = 'Running', lease_owner = {1}, lease_until = now() + {{LeaseDuration}}, attempts = attempts + 1, started_at = coalesce(started_at, now())
            WHERE id = {0} AND (state = 'Queued' OR (state = 'Running' AND lease_until < now())) AND {{ready}}
            RETURNING model_id, attempts, extract(epoch FROM now() - started_at)::float8 AS seconds
            """;
        Renew = $$"""UPDATE {{table}} SET lease_until = now() + {{LeaseDuration}} WHERE id = {0} AND lease_owner = {1} AND state = 'Running'""";
        Progressed = $$"""UPDATE {{table}} SET attempts = 0 WHERE id = {0}""";
        End = $$"""
            UPDATE {{table}} SET state = {2}, error = {3}, lease_owner = NULL, lease_until = NULL, attempts = 0, finished_at = CASE WHEN {2} <> 'Reviewing' THEN now() END
            WHERE id = {0} AND lease_owner = {1} AND state = 'Running'
            """;
        Release = $$"""
            UPDATE {{table}}
            SET state = 'Queued', lease_owner = NULL, lease_until = NULL, attempts = greatest(attempts - 1, 0), enqueued_at = CASE WHEN {2} THEN now() ELSE 'epoch' END
            WHERE id = {0} AND lease_owner = {1} AND state = 'Running'
            """;
        Cancel = $$"""
            UPDATE {{table}} SET state = 'Cancelled', lease_owner = NULL, lease_until = NULL, finished_at = now()
            WHERE id = {0} AND state IN ('Queued', 'Running', 'Reviewing')
            """;
        Next = $$"""SELECT id AS "Value" FROM {{table}} WHERE model_id = {0} AND state = 'Queued' ORDER BY id LIMIT 1""";
        Lost = $$"""
            UPDATE {{table}} AS job SET enqueued_at = now()
            WHERE (state = 'Running' AND lease_until < now() AND enqueued_at < now() - {{LeaseDuration}})
            OR (state = 'Queued' AND enqueued_at < now() - interval '30 seconds' AND {{oldest}})
            RETURNING id AS "Value"
            """;
        Reclaim = $$"""UPDATE {{table}} SET lease_until = least(lease_until, now()), enqueued_at = 'epoch' WHERE state IN ('Queued', 'Running')""";
    }

    /// <summary>{0} is the job and {1} the new owner of its lease. No row if the job has ended, another worker has it, or it must
    /// wait. Also returns the seconds since its first start.</summary>
    public string Take { get; }

    /// <summary>{0} is the job and {1} the owner. Locks the row until the transaction ends. No row if the owner has lost
    /// it.</summary>
    public string Renew { get; }

    /// <summary>{0} is a job whose work has progressed.</summary>
    public string Progressed { get; }

    /// <summary>{0} is the job, {1} the owner, {2} the state and {3} the error.</summary>
    public string End { get; }

    /// <summary>{0} is the job and {1} the owner. {2}: wait half a minute; otherwise the next sweep enqueues it.</summary>
    public string Release { get; }

    /// <summary>{0} is the job. Its worker notices when it renews the lease, and can no longer write anything.</summary>
    public string Cancel { get; }

    /// <summary>{0} is the model.</summary>
    public string Next { get; }

    /// <summary>Jobs whose worker is dead, and queued jobs that were not enqueued recently.</summary>
    public string Lost { get; }

    /// <summary>All jobs marked as running or queued.</summary>
    public string Reclaim { get; }

    public static JobStatements Of(JobKind kind) => Known.GetOrAdd(kind, static k => new(k));

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<JobKind, JobStatements> Known = new();
}
