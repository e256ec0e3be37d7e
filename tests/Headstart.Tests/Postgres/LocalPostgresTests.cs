using System.Net;
using System.Net.Sockets;
using Headstart.Disk;
using Headstart.Errors;
using Npgsql;

namespace Headstart.Tests.Postgres;

/// <summary>Each test has a server of its own.</summary>
public sealed class LocalPostgresTests : IDisposable
{
    private readonly OwnPostgres _own = new();

    public void Dispose() => _own.Dispose();

    [Fact]
    public async Task Data_is_still_there_after_a_stop_and_a_start_on_the_same_port()
    {
        using var data = DataFolder.Open(_own.Folder.Path);
        string first;
        await using (var server = await _own.StartAsync(data))
        {
            first = server.ConnectionString;
            await OwnPostgres.ExecuteAsync(first, "CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)");
            Assert.Equal("UTF8/UTC/127.0.0.1/scram-sha-256", await OwnPostgres.ExecuteAsync(first, """
                SELECT concat_ws('/', current_setting('server_encoding'), current_setting('timezone'),
                    current_setting('listen_addresses'), current_setting('password_encryption'))
                """));
        }

        Assert.False(File.Exists(Path.Combine(_own.Home, "cluster", "postmaster.pid")));
        await using var again = await _own.StartAsync(data);
        Assert.Equal(first, again.ConnectionString);
        Assert.Equal(7, await OwnPostgres.ExecuteAsync(first, "SELECT x FROM kept"));
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
    {
        using var data = DataFolder.Open(_own.Folder.Path);
        await using var server = await _own.StartAsync(data);
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "wrong", Pooling = false };
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => OwnPostgres.ExecuteAsync(wrong.ConnectionString, "SELECT 1"));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refusal.SqlState);
    }

    [Fact]
    public async Task A_lost_password_is_a_sentence()
    {
        using var data = DataFolder.Open(_own.Folder.Path);
        await using (await _own.StartAsync(data))
        {
        }

        File.Delete(_own.Folder.Below("postgres.password"));
        var refusal = await Assert.ThrowsAsync<StartupException>(() => _own.StartAsync(data));
        Assert.Contains("postgres.password' does not match the local database; restore", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(_own.Servers());
    }

    [Fact]
    public async Task A_port_that_somebody_else_took_is_exchanged_for_a_free_one()
    {
        using var data = DataFolder.Open(_own.Folder.Path);
        int port;
        await using (var server = await _own.StartAsync(data))
        {
            port = new NpgsqlConnectionStringBuilder(server.ConnectionString).Port;
        }

        using var somebody = new TcpListener(IPAddress.Loopback, port);
        somebody.Start();
        await using var elsewhere = await _own.StartAsync(data);
        Assert.NotEqual(port, new NpgsqlConnectionStringBuilder(elsewhere.ConnectionString).Port);
        Assert.Equal(1, await OwnPostgres.ExecuteAsync(elsewhere.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task Below_a_folder_that_only_root_may_pass_the_cluster_is_kept_elsewhere()
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            Assert.Skip("only for root");
            return;
        }

        using var data = DataFolder.Open(_own.Folder.Below("data"));
        for (var start = 1; start <= 2; start++)
        {
            await using var server = await _own.StartAsync(data);
            var elsewhere = Directory.ResolveLinkTarget(_own.Folder.Below("data", "postgres"), returnFinalTarget: false)!.FullName;
            Assert.StartsWith("/var/lib/headstart/", elsewhere, StringComparison.Ordinal);
            Assert.Equal(1, await OwnPostgres.ExecuteAsync(server.ConnectionString, "SELECT 1"));
        }

        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(_own.Folder.Path) & UnixFileMode.OtherExecute);
    }

    [Fact]
    public async Task A_server_that_cannot_start_says_why()
    {
        using var data = DataFolder.Open(_own.Folder.Path);
        await using (await _own.StartAsync(data))
        {
        }

        await File.AppendAllTextAsync(Path.Combine(_own.Home, "cluster", "postgresql.conf"), "\nno_such_setting = 1\n", OwnPostgres.Cancel);
        var refusal = await Assert.ThrowsAsync<StartupException>(() => _own.StartAsync(data));
        Assert.StartsWith("The local PostgreSQL did not start: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("errors", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_is_emptied_under_the_running_server_before_it_fills_the_disk()
    {
        using var data = DataFolder.Open(_own.Folder.Path);
        await using var server = await _own.StartAsync(data);
        var cluster = await _own.ClusterAsync();
        await Assert.ThrowsAsync<PostgresException>(() => OwnPostgres.ExecuteAsync(server.ConnectionString, "SELECT first_mistake"));
        cluster.TrimLog(0);
        await Assert.ThrowsAsync<PostgresException>(() => OwnPostgres.ExecuteAsync(server.ConnectionString, "SELECT second_mistake"));
        Assert.Contains("first_mistake", await File.ReadAllTextAsync(cluster.LogFile + ".1", OwnPostgres.Cancel), StringComparison.Ordinal);
        Assert.StartsWith("2", await File.ReadAllTextAsync(cluster.LogFile, OwnPostgres.Cancel), StringComparison.Ordinal);
    }
}
