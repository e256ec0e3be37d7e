using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Headstart.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Headstart.Tests.Data;

/// <summary>Each test has a server of its own and treats it badly.</summary>
public sealed class LocalPostgresTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();
    private readonly LocalPostgresOptions _options = new() { Fsync = false };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Home => _temporary.Below("postgres");

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public async Task Data_is_still_there_after_a_stop_and_a_start_on_the_same_port()
    {
        using var data = DataFolder.Open(_temporary.Path);
        string first;
        await using (var server = await StartAsync(data))
        {
            first = server.ConnectionString;
            await ExecuteAsync(first, "CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)");
            Assert.Equal("UTF8/UTC/127.0.0.1/scram-sha-256", await ExecuteAsync(first, """
                SELECT concat_ws('/', current_setting('server_encoding'), current_setting('timezone'),
                    current_setting('listen_addresses'), current_setting('password_encryption'))
                """));
        }

        Assert.False(File.Exists(Path.Combine(Home, "cluster", "postmaster.pid")));
        await using var again = await StartAsync(data);
        Assert.Equal(first, again.ConnectionString);
        Assert.Equal(7, await ExecuteAsync(first, "SELECT x FROM kept"));
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
    {
        using var data = DataFolder.Open(_temporary.Path);
        await using var server = await StartAsync(data);
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "wrong", Pooling = false };
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(wrong.ConnectionString, "SELECT 1"));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refusal.SqlState);
    }

    [Fact]
    public async Task A_killed_server_comes_back_on_the_same_connection_string_with_its_data_every_time()
    {
        using var data = DataFolder.Open(_temporary.Path);
        await using var server = await StartAsync(data);
        await ExecuteAsync(server.ConnectionString, "CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)");
        for (var time = 0; time < 2; time++)
        {
            var killed = Postmaster();
            Process.GetProcessById(killed).Kill();
            Assert.Equal(7, await EventuallyAsync(() => ExecuteAsync(server.ConnectionString, "SELECT x FROM kept")));
            Assert.NotEqual(killed, Postmaster());
        }
    }

    [Fact]
    public async Task A_killed_server_comes_back_once_the_last_busy_orphan_of_it_has_left()
    {
        using var data = DataFolder.Open(_temporary.Path);
        await using var server = await StartAsync(data);
        var busy = ExecuteAsync(server.ConnectionString, "SELECT count(*) FROM generate_series(1, 15000000) AS busy");
        while (!Equals(1L, await ExecuteAsync(server.ConnectionString,
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%AS busy' AND pid <> pg_backend_pid()")))
        {
            await Task.Delay(20, Cancel);
        }

        Process.GetProcessById(Postmaster()).Kill();
        Assert.Equal(1, await EventuallyAsync(() => ExecuteAsync(server.ConnectionString, "SELECT 1")));
        await Record.ExceptionAsync(() => busy);
    }

    [Fact]
    public async Task A_lost_password_is_a_sentence()
    {
        using var data = DataFolder.Open(_temporary.Path);
        await using (await StartAsync(data))
        {
        }

        File.Delete(_temporary.Below("postgres.password"));
        var refusal = await Assert.ThrowsAsync<StartupException>(() => StartAsync(data));
        Assert.Contains("postgres.password' does not open the local database; put back", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Servers());
    }

    [Fact]
    public async Task A_host_that_stops_while_the_server_is_restarting_leaves_none_behind()
    {
        using var data = DataFolder.Open(_temporary.Path);
        for (var delay = 300; delay <= 900; delay += 200)
        {
            await using (await StartAsync(data))
            {
                Process.GetProcessById(Postmaster()).Kill();
                await Task.Delay(delay, Cancel); // somewhere between unnoticed and started again
            }

            Assert.Empty(Servers());
        }
    }

    [Fact]
    public async Task A_start_that_is_cancelled_leaves_no_server_behind()
    {
        using var data = DataFolder.Open(_temporary.Path);
        await using (await StartAsync(data))
        {
        }

        for (var delay = 50; delay <= 450; delay += 100)
        {
            using var impatient = new CancellationTokenSource(delay);
            try
            {
                await using var server = await LocalPostgres.StartAsync(data, _options, NullLogger.Instance, impatient.Token);
            }
            catch (OperationCanceledException)
            {
                // Expected, unless the server was faster.
            }

            Assert.Empty(Servers());
        }
    }

    [Fact]
    public async Task A_server_that_a_killed_host_left_running_is_replaced_and_its_data_kept()
    {
        using var data = DataFolder.Open(_temporary.Path);
        string connection;
        await using (var server = await StartAsync(data))
        {
            connection = server.ConnectionString;
            await ExecuteAsync(connection, "CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)");
        }

        var left = await ClusterAsync();
        Assert.True(await left.StartAsync(Cancel));
        var pid = Postmaster();

        await using var next = await StartAsync(data);
        Assert.NotEqual(pid, Postmaster());
        Assert.Equal(connection, next.ConnectionString);
        Assert.Equal(7, await ExecuteAsync(connection, "SELECT x FROM kept"));
    }

    [Fact]
    public async Task A_lock_file_that_names_a_process_of_somebody_else_harms_neither()
    {
        using var data = DataFolder.Open(_temporary.Path);
        await using (await StartAsync(data))
        {
        }

        using var bystander = Process.Start("sleep", "600");
        var cluster = Path.Combine(Home, "cluster");
        await File.WriteAllTextAsync(Path.Combine(cluster, "postmaster.pid"), $"{bystander.Id}\n{cluster}\n", Cancel);
        try
        {
            await using var server = await StartAsync(data);
            Assert.False(bystander.HasExited);
        }
        finally
        {
            bystander.Kill();
        }
    }

    [Fact]
    public async Task What_a_killed_initdb_left_is_cleared_away()
    {
        var leftover = Directory.CreateDirectory(Path.Combine(Home, "initdb-killed", "cluster")).Parent!.FullName;
        await File.WriteAllTextAsync(Path.Combine(leftover, "password"), "half", Cancel);
        using var data = DataFolder.Open(_temporary.Path);
        await using var server = await StartAsync(data);
        Assert.False(Directory.Exists(leftover));
        Assert.Equal(1, await ExecuteAsync(server.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task A_port_that_somebody_else_took_is_exchanged_for_a_free_one()
    {
        using var data = DataFolder.Open(_temporary.Path);
        int port;
        await using (var server = await StartAsync(data))
        {
            port = new NpgsqlConnectionStringBuilder(server.ConnectionString).Port;
        }

        using var somebody = new TcpListener(IPAddress.Loopback, port);
        somebody.Start();
        await using var elsewhere = await StartAsync(data);
        Assert.NotEqual(port, new NpgsqlConnectionStringBuilder(elsewhere.ConnectionString).Port);
        Assert.Equal(1, await ExecuteAsync(elsewhere.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task Below_a_folder_that_only_root_may_pass_the_cluster_is_kept_elsewhere()
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            Assert.Skip("only for root");
            return;
        }

        using var data = DataFolder.Open(_temporary.Below("data"));
        for (var start = 1; start <= 2; start++)
        {
            await using var server = await StartAsync(data);
            Assert.StartsWith("/var/lib/headstart/", Directory.ResolveLinkTarget(_temporary.Below("data", "postgres"), false)!.FullName, StringComparison.Ordinal);
            Assert.Equal(1, await ExecuteAsync(server.ConnectionString, "SELECT 1"));
        }

        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(_temporary.Path) & UnixFileMode.OtherExecute);
    }

    [Fact]
    public async Task A_server_that_cannot_start_says_why()
    {
        using var data = DataFolder.Open(_temporary.Path);
        await using (await StartAsync(data))
        {
        }

        await File.AppendAllTextAsync(Path.Combine(Home, "cluster", "postgresql.conf"), "\nno_such_setting = 1\n", Cancel);
        var refusal = await Assert.ThrowsAsync<StartupException>(() => StartAsync(data));
        Assert.StartsWith("The local PostgreSQL did not start: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("errors", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_is_emptied_under_the_running_server_before_it_fills_the_disk()
    {
        using var data = DataFolder.Open(_temporary.Path);
        await using var server = await StartAsync(data);
        var cluster = await ClusterAsync();
        await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(server.ConnectionString, "SELECT first_mistake"));
        cluster.TrimLog(0);
        await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(server.ConnectionString, "SELECT second_mistake"));
        Assert.Contains("first_mistake", await File.ReadAllTextAsync(cluster.LogFile + ".1", Cancel), StringComparison.Ordinal);
        Assert.StartsWith("2", await File.ReadAllTextAsync(cluster.LogFile, Cancel), StringComparison.Ordinal);
    }

    private static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancel);
    }

    private static async Task<object?> EventuallyAsync(Func<Task<object?>> attempt)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await attempt();
            }
            catch (NpgsqlException e) when (e.IsTransient && tries < 300)
            {
                await Task.Delay(100, Cancel);
            }
        }
    }

    private Task<LocalPostgres> StartAsync(DataFolder data) => LocalPostgres.StartAsync(data, _options, NullLogger.Instance, Cancel);

    private async Task<LocalPostgresCluster> ClusterAsync()
    {
        var account = PostgresAccount.Current();
        var binaries = await PostgresBinaries.FindAsync(
            _options, PostgresBinaries.UsualPlaces(), Home, null, account, NullLogger.Instance, Cancel);
        return new LocalPostgresCluster(Home, binaries, account, fsync: false);
    }

    private int Postmaster() => int.Parse(File.ReadLines(Path.Combine(Home, "cluster", "postmaster.pid")).First());

    /// <summary>The servers that run on this test's cluster; Linux only, elsewhere none.</summary>
    private IEnumerable<string> Servers() => !OperatingSystem.IsLinux() ? [] :
        Process.GetProcessesByName("postgres")
            .Select(process => $"/proc/{process.Id}/cmdline").Where(File.Exists).Select(File.ReadAllText)
            .Where(line => line.Contains(Home, StringComparison.Ordinal));
}
