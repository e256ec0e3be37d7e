using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Headstart.Data;

/// <summary>Columns common to all jobs: who works on it and until when.</summary>
internal static class JobColumns
{
    /// <summary>The entity needs <c>Id</c>, <c>ModelId</c>, <c>IdempotencyKey</c>, <c>State</c>, <c>Error</c> and
    /// <c>FinishedAt</c>.</summary>
    public static void IsJob<T>(this EntityTypeBuilder<T> job)
        where T : class
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
