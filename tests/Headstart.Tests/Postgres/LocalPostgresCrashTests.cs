using System.Diagnostics;
using Headstart.Disk;
using Headstart.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Headstart.Tests.Postgres;

/// <summary>Each test has a server of its own and treats it badly.</summary>
public sealed class LocalPostgresCrashTests : IDisposable
{
    private readonly OwnPostgres _own = new();

    public void Dispose() => _own.Dispose();

    [Fact]
    public async Task A_killed_server_comes_back_on_the_same_connection_string_with_its_data_every_time()
    {
        Needs.Time();
        using var data = DataFolder.Open(_own.Folder.Path);
        await using var server = await _own.StartAsync(data);
        await OwnPostgres.ExecuteAsync(server.ConnectionString, "CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)");
        for (var time = 0; time < 2; time++)
        {
            var killed = _own.Postmaster();
            Process.GetProcessById(killed).Kill();
            Assert.Equal(7, await OwnPostgres.EventuallyAsync(
                () => OwnPostgres.ExecuteAsync(server.ConnectionString, "SELECT x FROM kept")));
            Assert.NotEqual(killed, _own.Postmaster());
        }
    }

    [Fact]
    public async Task A_killed_server_comes_back_once_the_last_busy_orphan_of_it_has_left()
    {
        Needs.Time();
        using var data = DataFolder.Open(_own.Folder.Path);
        await using var server = await _own.StartAsync(data);
        var busy = OwnPostgres.ExecuteAsync(server.ConnectionString, "SELECT count(*) FROM generate_series(1, 15000000) AS busy");
        while (!Equals(1L, await OwnPostgres.ExecuteAsync(server.ConnectionString,
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%AS busy' AND pid <> pg_backend_pid()")))
        {
            await Task.Delay(20, OwnPostgres.Cancel);
        }

        Process.GetProcessById(_own.Postmaster()).Kill();
        Assert.Equal(1, await OwnPostgres.EventuallyAsync(() => OwnPostgres.ExecuteAsync(server.ConnectionString, "SELECT 1")));
        await Record.ExceptionAsync(() => busy);
    }

    [Fact]
    public async Task A_host_that_stops_while_the_server_is_restarting_leaves_none_behind()
    {
        Needs.Time();
        using var data = DataFolder.Open(_own.Folder.Path);
        for (var delay = 300; delay <= 900; delay += 200)
        {
            await using (await _own.StartAsync(data))
            {
                Process.GetProcessById(_own.Postmaster()).Kill();
                await Task.Delay(delay, OwnPostgres.Cancel); // somewhere between unnoticed and started again
            }

            Assert.Empty(_own.Servers());
        }
    }

    [Fact]
    public async Task A_start_that_is_cancelled_leaves_no_server_behind()
    {
        Needs.Time();
        using var data = DataFolder.Open(_own.Folder.Path);
        await using (await _own.StartAsync(data))
        {
        }

        for (var delay = 50; delay <= 450; delay += 100)
        {
            using var impatient = new CancellationTokenSource(delay);
            try
            {
                await using var server = await LocalPostgres.StartAsync(data, _own.Options, NullLogger.Instance, impatient.Token);
            }
            catch (OperationCanceledException)
            {
                // Expected, unless the server was faster.
            }

            Assert.Empty(_own.Servers());
        }
    }

    [Fact]
    public async Task A_server_that_a_killed_host_left_running_is_replaced_and_its_data_kept()
    {
        using var data = DataFolder.Open(_own.Folder.Path);
        string connection;
        await using (var server = await _own.StartAsync(data))
        {
            connection = server.ConnectionString;
            await OwnPostgres.ExecuteAsync(connection, "CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)");
        }

        var left = await _own.ClusterAsync();
        Assert.True(await left.StartAsync(OwnPostgres.Cancel));
        var pid = _own.Postmaster();

        await using var next = await _own.StartAsync(data);
        Assert.NotEqual(pid, _own.Postmaster());
        Assert.Equal(connection, next.ConnectionString);
        Assert.Equal(7, await OwnPostgres.ExecuteAsync(connection, "SELECT x FROM kept"));
    }

    [Fact]
    public async Task A_lock_file_that_names_a_process_of_somebody_else_harms_neither()
    {
        Needs.Time();
        using var data = DataFolder.Open(_own.Folder.Path);
        await using (await _own.StartAsync(data))
        {
        }

        using var bystander = Process.Start("sleep", "600");
        var cluster = Path.Combine(_own.Home, "cluster");
        await File.WriteAllTextAsync(Path.Combine(cluster, "postmaster.pid"), $"{bystander.Id}\n{cluster}\n", OwnPostgres.Cancel);
        try
        {
            await using var server = await _own.StartAsync(data);
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
        var leftover = Directory.CreateDirectory(Path.Combine(_own.Home, "initdb-killed", "cluster")).Parent!.FullName;
        await File.WriteAllTextAsync(Path.Combine(leftover, "password"), "half", OwnPostgres.Cancel);
        using var data = DataFolder.Open(_own.Folder.Path);
        await using var server = await _own.StartAsync(data);
        Assert.False(Directory.Exists(leftover));
        Assert.Equal(1, await OwnPostgres.ExecuteAsync(server.ConnectionString, "SELECT 1"));
    }
}
