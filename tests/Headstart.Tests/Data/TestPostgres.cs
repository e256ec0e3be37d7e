using Headstart.Data;
using Headstart.Tests.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

[assembly: AssemblyFixture(typeof(TestPostgres))]

namespace Headstart.Tests.Data;

/// <summary>One PostgreSQL for all tests of this assembly. A test class takes it in its constructor and makes a database of its own.</summary>
public sealed class TestPostgres : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private DataFolder? _data;
    private LocalPostgres? _server;

    public async ValueTask InitializeAsync()
    {
        _data = DataFolder.Open(_folder.Path);
        _server = await LocalPostgres.StartAsync(
            _data, new LocalPostgresOptions { Fsync = false }, NullLogger.Instance, TestContext.Current.CancellationToken);
    }

    /// <summary>The connection string of a fresh, empty database.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = "test_" + Guid.CreateVersion7().ToString("n");
        var server = new NpgsqlConnectionStringBuilder(_server!.ConnectionString);
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false });
        await using var create = source.CreateCommand($"CREATE DATABASE {name}");
        await create.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        // The server takes 100 connections, and test classes run side by side.
        return new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Database = name,
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
