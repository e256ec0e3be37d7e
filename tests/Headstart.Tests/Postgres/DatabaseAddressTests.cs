using Headstart.Postgres;
using Npgsql;

namespace Headstart.Tests.Postgres;

/// <summary>What stands still in a transaction does not hold up the others for ever.</summary>
public sealed class DatabaseAddressTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_transaction_that_says_nothing_is_ended_after_a_minute_unless_another_time_is_configured()
    {
        var configured = await postgres.CreateDatabaseAsync();
        Assert.Equal("1min", await TimeoutAsync(new DatabaseAddress(configured, IsOwn: false).Shared));

        var sooner = new NpgsqlConnectionStringBuilder(
            configured)
        { Options = "-c idle_in_transaction_session_timeout=200ms" }.ConnectionString;
        Assert.Equal("200ms", await TimeoutAsync(new DatabaseAddress(sooner, IsOwn: false).Shared));
    }

    [Fact]
    public async Task Who_waits_for_a_lock_of_a_transaction_that_stands_still_goes_on()
    {
        var address = new NpgsqlConnectionStringBuilder(
            await postgres.CreateDatabaseAsync())
        { Options = "-c idle_in_transaction_session_timeout=200ms" };
        await using var database = NpgsqlDataSource.Create(new DatabaseAddress(address.ConnectionString, IsOwn: false).Shared);
        await using var paused = await database.OpenConnectionAsync(Api.Cancel);
        await using var transaction = await paused.BeginTransactionAsync(Api.Cancel);
        await AddAsync(paused);

        await using var other = await database.OpenConnectionAsync(Api.Cancel);
        await AddAsync(other); // the same key: waits until the first transaction has ended

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync(Api.Cancel));

        static async Task AddAsync(NpgsqlConnection connection)
        {
            await using var command = new NpgsqlCommand(@"INSERT INTO import_sources (sha256) VALUES ('\x01')", connection);
            await command.ExecuteNonQueryAsync(Api.Cancel);
        }
    }

    private static async Task<string?> TimeoutAsync(string address)
    {
        await using var database = NpgsqlDataSource.Create(address);
        await using var command = database.CreateCommand("SHOW idle_in_transaction_session_timeout");
        return (string?)await command.ExecuteScalarAsync(Api.Cancel);
    }
}
