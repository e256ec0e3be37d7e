using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Jobs;

/// <summary>A kind of job. Each job is a row of <paramref name="Table"/> with the columns of <see cref="JobColumns"/>.</summary>
/// <param name="Name">Name of its queue in Hangfire and of its series in the metrics.</param>
/// <param name="Table">Table in the database.</param>
/// <param name="Noun">Its word in sentences, such as "import".</param>
/// <param name="Advice">Ends the error of a job that failed for an internal reason: what is left of its work, or what to
/// do.</param>
public sealed record JobKind(string Name, string Table, string Noun, string Advice)
{
    /// <summary>Jobs of one model run one after the other.</summary>
    public bool OneByOne { get; init; }

    /// <summary>How many run concurrently on a host. Most kinds use all cores.</summary>
    public int AtOnce { get; init; } = 1;

    /// <summary>Cancels a job even while a worker runs it. An ended job stays as it is.</summary>
    public Task CancelAsync(HeadstartDb db, Guid id, CancellationToken cancel) =>
        db.Database.ExecuteSqlRawAsync(JobStatements.Of(this).Cancel, [id], cancel);
}

/// <summary>The work of a kind of job. It may be started twice and die anywhere, so it resumes from what an earlier worker
/// stored.</summary>
public interface IJob
{
    /// <summary>
    /// Works until the job ends or <see cref="JobLease.Token"/> is cancelled. Make changes through <see cref="JobLease.HoldAsync"/>, so
    /// that a worker that lost its lease changes nothing.
    /// </summary>
    /// <returns>How it ended; null if the work has stored that itself with <see cref="JobLease.EndAsync"/>.</returns>
    Task<JobEnd?> RunAsync(JobLease lease);
}

/// <param name="State">Succeeded, Failed or Reviewing.</param>
/// <param name="Error">Why it failed and what to do, for its user.</param>
public sealed record JobEnd(JobState State, string? Error = null)
{
    public static JobEnd Succeeded { get; } = new(JobState.Succeeded);

    public static JobEnd Reviewing { get; } = new(JobState.Reviewing);

    public static JobEnd Failed(string error) => new(JobState.Failed, error);
}
