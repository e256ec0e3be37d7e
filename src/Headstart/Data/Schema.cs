using Hangfire.PostgreSql;
using Headstart.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Headstart.Data;

/// <summary>Migrates the database to this program's schema before anything uses it.</summary>
public static partial class Schema
{
    /// <summary>The advisory lock for which hosts that start at the same time queue.</summary>
    public const long AdvisoryLock = 0x4865_6164;

    /// <summary>The schema of Hangfire's tables.</summary>
    public const string Jobs = "hangfire";

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestStep = TimeSpan.FromHours(2); // to change a large table
    private const int PollsToTell = 240;

    /// <exception cref="StartupException">A newer Headstart made the database, or the user may not create tables in it.</exception>
    public static async Task MigrateAsync(IServiceProvider services, CancellationToken cancel)
    {
        var address = services.GetRequiredService<DatabaseAddress>();
        await using var guard = new NpgsqlConnection(address.Unpooled);
        await guard.OpenAsync(cancel);
        await using var turn = await TakeTurnAsync(guard, (services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance)
            .CreateLogger(typeof(Schema)), cancel);

        await using var db = await services.GetRequiredService<IDbContextFactory<HeadstartDb>>().CreateDbContextAsync(cancel);
        var (known, applied) = (db.Database.GetMigrations().ToList(), (await db.Database.GetAppliedMigrationsAsync(cancel)).ToList());
        if (applied.Except(known).ToList() is { Count: > 0 } unknown)
        {
            throw new StartupException($"The database was migrated by a newer Headstart (migration {unknown[^1]}); start that version, or "
                + "use another database.");
        }

        var pending = known.Except(applied).Any();
        await RefuseWithoutRightsAsync(guard, tables: pending, cancel);
        if (pending) // otherwise EF would need the right to create tables that exist
        {
            await using var changing = Open(address.ForMigrations);
            changing.Database.SetCommandTimeout(LongestStep);
            await changing.Database.MigrateAsync(cancel);
        }

        // Here and not with the first job: hosts that start at the same time would do it concurrently.
        await using var jobs = new NpgsqlConnection(address.Unpooled);
        await jobs.OpenAsync(cancel);
        await Task.Run(() => PostgreSqlObjectsInstaller.Install(jobs, Jobs), cancel);
    }

    /// <summary>
    /// Hosts migrate one after the other; each holds the lock with an open transaction, which PostgreSQL ends if the host is silent for
    /// minutes, as one that is frozen. Waiting hosts poll and hold no transaction meanwhile: otherwise a pooler might have no connection
    /// left for the working one.
    /// </summary>
    private static async Task<NpgsqlTransaction> TakeTurnAsync(NpgsqlConnection guard, ILogger log, CancellationToken cancel)
    {
        for (var polls = 0; ; polls++)
        {
            var turn = await guard.BeginTransactionAsync(cancel);
            await using var ask = new NpgsqlCommand(
                $"{DatabaseAddress.MayIdleWhileAlive}; SELECT pg_try_advisory_xact_lock({AdvisoryLock})", guard, turn);
            if (await ask.ExecuteScalarAsync(cancel) is true)
            {
                return turn;
            }

            await turn.DisposeAsync();
            if (polls % PollsToTell == 0)
            {
                Log.Waiting(log);
            }

            await Task.Delay(PollInterval, cancel);
        }
    }

    /// <summary>Checks the rights before anything is created, so that nothing is left half done.</summary>
    /// <param name="guard">Open.</param>
    /// <param name="tables">Whether tables must be created or changed.</param>
    private static async Task RefuseWithoutRightsAsync(NpgsqlConnection guard, bool tables, CancellationToken cancel)
    {
        await using var ask = new NpgsqlCommand($"""
            SELECT quote_ident(current_schema()), coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
                has_database_privilege(current_database(), 'CREATE') OR to_regnamespace('{Jobs}') IS NOT NULL, quote_ident(current_user), quote_ident(current_database())
            """, guard);
        await using var row = await ask.ExecuteReaderAsync(cancel);
        await row.ReadAsync(cancel);
        var (user, database, lacking) = (row.GetString(3), row.GetString(4), new List<string>());
        if (tables && row.IsDBNull(0))
        {
            throw new StartupException($"The search path of {user} names no existing schema in the database {database}; correct Search "
                + "Path in ConnectionStrings:Headstart, or have the owner of the database run in it: CREATE SCHEMA public AUTHORIZATION "
                + $"{user};");
        }

        if (tables && !row.GetBoolean(1))
        {
            lacking.Add($"GRANT CREATE, USAGE ON SCHEMA {row.GetString(0)} TO {user};");
        }

        if (!row.GetBoolean(2))
        {
            lacking.Add($"GRANT CREATE ON DATABASE {database} TO {user};");
        }

        if (lacking.Count > 0)
        {
            throw new StartupException($"{user} may not create Headstart's tables in the database {database}; have its owner run in it: "
                + $"{string.Join(' ', lacking)}");
        }
    }

    /// <summary>The database without a pool of contexts, for migrations.</summary>
    internal static HeadstartDb Open(string connectionString) =>
        new((DbContextOptions<HeadstartDb>)new DbContextOptionsBuilder<HeadstartDb>().UseHeadstart(connectionString).Options);

    public static DbContextOptionsBuilder UseHeadstart(this DbContextOptionsBuilder options, string connectionString) => options
        .UseNpgsql(connectionString)
        .UseSnakeCaseNamingConvention()
        .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Another Headstart is migrating the database; waiting for it to finish.")]
        public static partial void Waiting(ILogger log);
    }
}

/// <summary>For <c>dotnet ef migrations add</c>, which must not start a host.</summary>
public sealed class DesignTimeFactory : IDesignTimeDbContextFactory<HeadstartDb>
{
    public HeadstartDb CreateDbContext(string[] args) => Schema.Open("Host=localhost");
}
