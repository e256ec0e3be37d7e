using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Headstart.Data;

/// <summary>What the row of every job has: who works on it and until when, beside what its own feature keeps there.</summary>
internal static class JobColumns
{
    /// <summary>For an entity with <c>Id</c>, <c>ModelId</c>, <c>IdempotencyKey</c>, <c>State</c>, <c>Error</c> and
    /// <c>FinishedAt</c>.</summary>
    public static void IsJob<T>(this EntityTypeBuilder<T> job)
        where T : class
    {
        job.Property<Guid?>("LeaseOwner");
        job.Property<DateTime?>("LeaseUntil");
        job.Property<int>("Attempts").HasDefaultValue(0); // how often a worker began since something was written
        job.Property<DateTime?>("StartedAt");
        job.Property<DateTime>("EnqueuedAt").HasDefaultValueSql("now()"); // when Hangfire was last told
        job.HasOne<Model>().WithMany().HasForeignKey("ModelId");
        job.HasIndex("ModelId", "Id"); // lists, newest first
        job.HasIndex("ModelId", "IdempotencyKey").IsUnique();
        job.HasIndex("EnqueuedAt").HasFilter("state IN ('Queued', 'Running')");
    }
}
