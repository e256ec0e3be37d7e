using Hangfire.PostgreSql;
using Headstart.Configuration;
using Headstart.Data;
using Headstart.Disk;
using Headstart.Postgres;
using Headstart.Tests.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

[assembly: AssemblyFixture(typeof(TestPostgres))]

namespace Headstart.Tests.Postgres;

/// <summary>One PostgreSQL for all tests of this assembly. A test class takes it in its constructor and makes a database of its
/// own.</summary>
public sealed class TestPostgres : IAsyncLifetime
{
    private const string Template = "template";

    private readonly TemporaryFolder _folder = new();
    private DataFolder? _data;
    private LocalPostgres? _server;
    private Task? _template;

    public async ValueTask InitializeAsync()
    {
        using var waiting = Waits.For("a PostgreSQL of the tests");
        _data = DataFolder.Open(_folder.Path);
        _server = await LocalPostgres.StartAsync(
            _data, new LocalPostgresOptions { Fsync = false }, NullLogger.Instance, TestContext.Current.CancellationToken);

        // It would start a process for each database once a minute, and there are more than a hundred.
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Pooling = false });
        foreach (var sql in new[] { "ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()" })
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The connection string of a fresh database: its tables are there, and empty.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        lock (_folder)
        {
            _template ??= MakeTemplateAsync();
        }

        await _template;
        return await CreateAsync($"test_{Guid.CreateVersion7():n} TEMPLATE {Template}");
    }

    /// <summary>The connection string of a fresh database without tables.</summary>
    public Task<string> CreateEmptyDatabaseAsync() => CreateAsync($"test_{Guid.CreateVersion7():n}");

    /// <summary>Copied for each test class, as the migrations and Hangfire's tables take seconds.</summary>
    private async Task MakeTemplateAsync()
    {
        // Not pooled: as long as anybody is connected to it PostgreSQL does not copy it.
        var address = new NpgsqlConnectionStringBuilder(await CreateAsync(Template)) { Pooling = false }.ConnectionString;
        await using var db = new HeadstartDb((DbContextOptions<HeadstartDb>)new DbContextOptionsBuilder<HeadstartDb>().UseHeadstart(address)
            .Options);
        await db.Database.MigrateAsync(TestContext.Current.CancellationToken);
        await using var connection = new NpgsqlConnection(address);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        PostgreSqlObjectsInstaller.Install(connection, "hangfire");
    }

    private async Task<string> CreateAsync(string name)
    {
        var server = new NpgsqlConnectionStringBuilder(_server!.ConnectionString);
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false });
        await using var create = source.CreateCommand($"CREATE DATABASE {name}");
        await create.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        // The server takes 100 connections, and test classes run side by side.
        return new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Database = name.Split(' ')[0],
            MaxPoolSize = 10,
            ConnectionIdleLifetime = 5,
            ConnectionPruningInterval = 2,
        }.ConnectionString;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _data?.Dispose();
        _folder.Dispose();
    }
}
