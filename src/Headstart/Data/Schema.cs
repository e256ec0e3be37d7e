using Headstart.Operations;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Npgsql;

namespace Headstart.Data;

/// <summary>Brings the database to this program's schema before anything uses it.</summary>
public static class Schema
{
    /// <summary>The advisory lock that hosts starting at the same time queue behind.</summary>
    public const long AdvisoryLock = 0x4865_6164;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="StartupException">The database cannot be reached within half a minute, or was made by a newer Headstart.</exception>
    public static async Task MigrateAsync(IServiceProvider services, CancellationToken cancel)
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<HeadstartDb>>().CreateDbContextAsync(cancel);
        await ConnectAsync(db, services.GetRequiredService<TimeProvider>(), cancel);
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock({AdvisoryLock})", cancel);
        try
        {
            var unknown = (await db.Database.GetAppliedMigrationsAsync(cancel)).Except(db.Database.GetMigrations()).ToList();
            if (unknown.Count > 0)
            {
                throw new StartupException($"The database was made by a newer Headstart (it has the migration {unknown[^1]}); start that one, or use another database.");
            }

            await db.Database.MigrateAsync(cancel);
        }
        finally
        {
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock({AdvisoryLock})", CancellationToken.None);
            await db.Database.CloseConnectionAsync();
        }
    }

    private static async Task ConnectAsync(HeadstartDb db, TimeProvider clock, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            try
            {
                await db.Database.OpenConnectionAsync(cancel); // stays open: the lock belongs to the connection
                return;
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException { InnerException: NpgsqlException })
            {
                if (clock.GetElapsedTime(started) > Patience || e is PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidCatalogName })
                {
                    throw new StartupException($"The database in ConnectionStrings:Headstart cannot be reached: {e.GetBaseException().Message}");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(500), clock, cancel);
            }
        }
    }

    public static DbContextOptionsBuilder UseHeadstart(this DbContextOptionsBuilder options, string connectionString) => options
        .UseNpgsql(connectionString)
        .UseSnakeCaseNamingConvention()
        .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking);
}

/// <summary>For <c>dotnet ef migrations add</c>, which must not start a host.</summary>
public sealed class DesignTimeFactory : IDesignTimeDbContextFactory<HeadstartDb>
{
    public HeadstartDb CreateDbContext(string[] args) =>
        new((DbContextOptions<HeadstartDb>)new DbContextOptionsBuilder<HeadstartDb>().UseHeadstart("Host=localhost").Options);
}
