using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Headstart.Data;

/// <summary>What the rows of all jobs have in common.</summary>
public interface IJobRow
{
    Guid Id { get; }

    Guid ModelId { get; }

    JobState State { get; }

    string? Error { get; }

    string? IdempotencyKey { get; }

    DateTime? FinishedAt { get; }
}

/// <summary>Columns common to all jobs: who works on it and until when.</summary>
internal static class JobColumns
{
    public static void IsJob<T>(this EntityTypeBuilder<T> job)
        where T : class, IJobRow
    {
        job.Property<Guid?>("LeaseOwner");
        job.Property<DateTime?>("LeaseUntil");
        job.Property<int>("Attempts").HasDefaultValue(0); // number of starts since the last progress
        job.Property<DateTime?>("StartedAt");
        job.Property<DateTime>("EnqueuedAt").HasDefaultValueSql("now()"); // last time it was given to Hangfire
        job.HasOne<Model>().WithMany().HasForeignKey("ModelId");
        job.HasIndex("ModelId", "Id"); // lists, newest first
        job.HasIndex("ModelId", "IdempotencyKey").IsUnique();
        job.HasIndex("EnqueuedAt").HasFilter("state IN ('Queued', 'Running')");
    }
}
