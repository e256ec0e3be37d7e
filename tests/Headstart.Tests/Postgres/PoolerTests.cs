using Headstart.Backups;
using Headstart.Blobs;
using Headstart.Configuration;
using Headstart.Data;
using Headstart.Disk;
using Headstart.Errors;
using Headstart.Hosting;
using Headstart.Postgres;
using Headstart.Tests.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Headstart.Tests.Postgres;

/// <summary>Two hosts on one database, behind PgBouncer in transaction mode as it comes.</summary>
public sealed class PoolerTests : IClassFixture<PoolerTests.Pair>
{
    private readonly Pair _hosts;

    public PoolerTests(Pair hosts)
    {
        Needs.Programs("pgbouncer"); // here: what is skipped in a fixture has failed
        _hosts = hosts;
    }

    [Fact]
    public async Task Hosts_that_start_beside_each_other_train_answer_and_see_what_the_other_publishes()
    {
        Assert.Equal(Sessions.PerTransaction, _hosts.First.Services.GetRequiredService<DatabaseAddress>().Sessions);
        var model = await _hosts.First.Client.PetsAsync(6);
        Assert.Equal("succeeded", (string?)(await _hosts.Second.Client.TrainAsync(model))["state"]);
        Assert.Equal(2, (int?)(await _hosts.First.Client.TrainAsync(model))["version"]);

        var photograph = Pets.Cats[^1];
        foreach (var version in (int[])[1, 2])
        {
            (await _hosts.First.Client.PostAsync($"{model}/versions/{version}/publish", new { })).EnsureSuccessStatusCode().Dispose();
            for (var looks = 0; (int?)(await _hosts.Second.Client.PredictAsync(model, photograph))["version"] != version; looks++)
            {
                Assert.True(looks < 600, "The other host serves the old version.");
                await Task.Delay(50, Api.Cancel);
            }
        }
    }

    [Fact]
    public async Task A_transaction_that_says_nothing_is_ended_after_a_minute_and_what_is_configured_holds()
    {
        Assert.Equal("1min", await IdleAsync(_hosts.First.Services));
        // As ALTER ROLE would have it, in the session from its beginning on.
        var configured = new DatabaseAddress(_hosts.Pooler.Direct + ";Options=-c idle_in_transaction_session_timeout=30min", IsOwn: false,
            Sessions.PerTransaction);
        await using var services = new ServiceCollection().AddSingleton(configured).AddSingleton(TimeProvider.System).AddLogging()
            .AddDatabase().BuildServiceProvider();

        Assert.Equal("30min", await IdleAsync(services));

        static async Task<string> IdleAsync(IServiceProvider services)
        {
            await using var db = await services.GetRequiredService<IDbContextFactory<HeadstartDb>>().CreateDbContextAsync(Api.Cancel);
            await using var transaction = await db.Database.BeginTransactionAsync(Api.Cancel);
            return (await db.Database.SqlQueryRaw<string>("SELECT current_setting('idle_in_transaction_session_timeout') AS \"Value\"")
                .ToListAsync(Api.Cancel))[0];
        }
    }

    [Fact]
    public async Task One_collector_is_at_work_and_a_migration_need_not_wait_for_it()
    {
        var database = _hosts.First.Services.GetRequiredService<DatabaseAddress>();
        await using (var may = await BlobLock.TryDeleteAsync(database, Api.Cancel))
        {
            Assert.NotNull(may);
            Assert.Null(await BlobLock.TryDeleteAsync(database, Api.Cancel));
            Assert.Null(await _hosts.Second.Services.GetRequiredService<BlobCollector>().CollectAsync(Api.Cancel));
            Assert.Equal(1L, await may.AskAsync(connection => CountAsync(connection), Api.Cancel));
            await OwnPostgres.ExecuteAsync(_hosts.Pooler.Direct,
                "SET lock_timeout = '5s'; BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE; ROLLBACK");
        }

        Assert.NotNull(await _hosts.Second.Services.GetRequiredService<BlobCollector>().CollectAsync(Api.Cancel));
        Assert.Equal(0L, await OwnPostgres.ExecuteAsync(_hosts.Pooler.Direct,
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = "
                + "current_database())"));

        static async Task<long> CountAsync(NpgsqlConnection connection)
        {
            await using var count = new NpgsqlCommand("SELECT count(*) FROM accounts", connection);
            return (long)(await count.ExecuteScalarAsync(Api.Cancel))!;
        }
    }

    [Fact]
    public async Task A_host_that_migrates_keeps_the_others_waiting_and_without_a_transaction()
    {
        await using var direct = NpgsqlDataSource.Create(_hosts.Pooler.Direct);
        await using var first = await direct.OpenConnectionAsync(Api.Cancel);
        await using var turn = await first.BeginTransactionAsync(Api.Cancel);
        await using var take = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({Schema.AdvisoryLock})", first);
        await take.ExecuteNonQueryAsync(Api.Cancel);

        // more than the pooler has connections
        var others = Enumerable.Range(0, 12).Select(_ => Schema.MigrateAsync(_hosts.First.Services, Api.Cancel)).ToList();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _hosts.Second.Client.GetJsonAsync("/api/v1/models")));

        Assert.DoesNotContain(others, other => other.IsCompleted);
        await turn.RollbackAsync(Api.Cancel);
        await Task.WhenAll(others);
    }

    [Fact]
    public async Task A_backup_says_that_it_needs_PostgreSQL_itself_and_changes_no_session_of_others()
    {
        using var place = new TemporaryFolder();
        var configuration = new ConfigurationManager
        {
            ["ConnectionStrings:Headstart"] = _hosts.Pooler.Address,
            ["Logging:LogLevel:Default"] = "None"
        };

        var refused = await Assert.ThrowsAsync<StartupException>(() =>
            BackupCommand.RunAsync(["backup", place.Below("backup")], configuration, new Settings { DataDirectory = place.Below("data") },
                Api.Cancel));

        Assert.Contains("PostgreSQL's own host and port", refused.Message, StringComparison.Ordinal);
        await _hosts.Second.Client.GetJsonAsync("/api/v1/models");
    }

    [Fact]
    public async Task A_pooler_in_session_mode_is_told_from_one_in_transaction_mode()
    {
        Assert.Equal(Sessions.Lent, (await ReachAsync(_hosts.Pooler.InSessions)).Sessions);
        Assert.Equal(Sessions.PerTransaction, (await ReachAsync(_hosts.Pooler.Address)).Sessions);
        Assert.Equal(Sessions.Own, (await ReachAsync(_hosts.Pooler.Direct)).Sessions);
    }

    [Fact]
    public async Task A_parameter_that_the_pooler_refuses_is_named()
    {
        var refused = await Assert.ThrowsAsync<StartupException>(() => ReachAsync(_hosts.Pooler.Address + ";Options=-c lock_timeout=1s"));

        Assert.Contains("options", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("anything", refused.Message, StringComparison.Ordinal);
    }

    private static Task<DatabaseAddress> ReachAsync(string address) =>
        DatabaseConnector.ReachAsync(address, NullLogger.Instance, Api.Cancel);

    public sealed class Pair(TestPostgres postgres) : IAsyncLifetime
    {
        private readonly List<Host> _all = [];

        public PgBouncer Pooler { get; } = new(postgres);

        public TestHost First => _all[0];

        public TestHost Second => _all[1];

        public async ValueTask InitializeAsync()
        {
            if (!Needs.Has("pgbouncer"))
            {
                return;
            }

            await Pooler.InitializeAsync();
            _all.Add(new(postgres, Pooler.Address, null));
            _all.Add(new(postgres, Pooler.Address, _all[0].DataFolder));
            // the database is empty, and both migrate
            await Task.WhenAll(_all.Select(host => Task.Run(async () => await host.InitializeAsync())));
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var host in _all)
            {
                await host.DisposeAsync();
            }

            await Pooler.DisposeAsync();
        }
    }

    private sealed class Host(TestPostgres postgres, string database, string? shared) : TestHost(postgres)
    {
        protected override Task<string> DatabaseAsync()
        {
            if (shared is not null)
            {
                Directory.CreateSymbolicLink(Path.Combine(DataFolder, "blobs"),
                    Directory.CreateDirectory(Path.Combine(shared, "blobs")).FullName);
            }

            return Task.FromResult(database);
        }

        protected override IEnumerable<(string, string)> Settings =>
            [("Headstart:SharedSecret", "a secret of the tests, long enough for it")];
    }
}
