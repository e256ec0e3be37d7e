using Hangfire;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Jobs;

/// <summary>Runs a job of any kind from lease to end, whatever happens to it.</summary>
public sealed partial class JobRunner(
    IServiceProvider services, IDbContextFactory<HeadstartDb> databases, JobWaker waker, TimeProvider clock, ILogger<JobRunner> log)
{
    private const int MaxAttempts = 5;

    [AutomaticRetry(Attempts = 0)] // the sweep finds lost jobs; a retry would only start them twice
    [JobDisplayName("{0} {1}")]
    public async Task RunAsync(string name, Guid id, CancellationToken stopping)
    {
        var kind = services.GetRequiredKeyedService<JobKind>(name);
        Guid model;
        await using (var lease = await JobLease.TakeAsync(databases, kind, id, clock, stopping))
        {
            if (lease is null || !await EndAsync(kind, lease, stopping))
            {
                return;
            }

            model = lease.ModelId;
        }

        if (kind.OneByOne && !stopping.IsCancellationRequested)
        {
            await waker.WakeNextAsync(kind, model, stopping); // if we die before this, the sweep does it
        }
    }

    /// <returns>Whether the job has ended; if not, it waits for its next worker.</returns>
    private async Task<bool> EndAsync(JobKind kind, JobLease lease, CancellationToken stopping)
    {
        JobEnd? end;
        try
        {
            end = lease.Attempts <= MaxAttempts
                ? await services.GetRequiredKeyedService<IJob>(kind.Name).RunAsync(lease)
                : JobEnd.Failed($"The {kind.Noun} was started {MaxAttempts} times without progress and its worker died each time; the "
                    + "host's log may say why. "
                    + kind.Advice);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await lease.ReleaseAsync(later: false);
            Log.Released(log, kind.Noun, lease.Id);
            return false;
        }
        catch (OperationCanceledException) when (lease.Overdue is not null)
        {
            end = JobEnd.Failed(lease.Overdue);
        }
        catch (OperationCanceledException) when (lease.Token.IsCancellationRequested)
        {
            Log.Left(log, kind.Noun, lease.Id);
            return true;
        }
        catch (Exception e) when (ExceptionProblems.Describe(e) is var (status, type, detail))
        {
            Note(kind, lease.Id, e, status, type);
            switch (status)
            {
                case StatusCodes.Status503ServiceUnavailable when type == ExceptionProblems.BlobStoreAway:
                    await lease.ReleaseAsync(later: true); // costs no attempt, because it may take many until the store is back
                    return false;
                case StatusCodes.Status503ServiceUnavailable:
                    return false; // the database is down: the lease runs out and the sweep finds the job
            }

            end = JobEnd.Failed(status is < 500 or StatusCodes.Status507InsufficientStorage ? detail
                : $"The {kind.Noun} failed with an unexpected error; see the host's log. {kind.Advice}");
        }

        if (end is not null)
        {
            await using var db = await databases.CreateDbContextAsync(CancellationToken.None);
            await lease.EndAsync(db, end);
        }

        if (lease.End is var (state, error))
        {
            Log.Ended(log, kind.Noun, lease.Id, state, error ?? "");
        }

        return true;
    }

    /// <summary>Logs a stack trace for a bug, a sentence for a lost database, blob store or disk, nothing for a refused
    /// job.</summary>
    private void Note(JobKind kind, Guid id, Exception exception, int status, string type)
    {
        if (status is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status507InsufficientStorage)
        {
            Log.Interrupted(log, kind.Noun, id, type, exception.GetBaseException().Message);
        }
        else if (status >= 500)
        {
            Log.Unexpected(log, kind.Noun, id, exception);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "The {Kind} {Job} is now {State}. {Error}")]
        public static partial void Ended(ILogger log, string kind, Guid job, JobState state, string error);

        [LoggerMessage(Level = LogLevel.Information, Message = "The {Kind} {Job} is queued again because this host is stopping")]
        public static partial void Released(ILogger log, string kind, Guid job);

        [LoggerMessage(Level = LogLevel.Information, Message = "The {Kind} {Job} was cancelled or taken over by another worker; this "
            + "attempt stops")]
        public static partial void Left(ILogger log, string kind, Guid job);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The {Kind} {Job} was interrupted ({Type}): {Reason}")]
        public static partial void Interrupted(ILogger log, string kind, Guid job, string type, string reason);

        [LoggerMessage(Level = LogLevel.Error, Message = "The {Kind} {Job} failed with an unexpected error")]
        public static partial void Unexpected(ILogger log, string kind, Guid job, Exception exception);
    }
}
