using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Headstart.Hosting;
using Headstart.Postgres;
using Headstart.Tests.Postgres;
using Npgsql;

namespace Headstart.Tests;

/// <summary>PgBouncer in front of the server of all tests, as Debian has it: <c>apt-get install pgbouncer</c>. One pooler for a test
/// class.</summary>
public sealed class PgBouncer(TestPostgres postgres) : IAsyncLifetime
{
    private const string Program = "/usr/sbin/pgbouncer";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();
    private readonly int _port = FreePort();

    /// <summary>The connection string of a database without tables, through a pooler in transaction mode.</summary>
    public string Address { get; private set; } = "";

    /// <summary>As <see cref="Address"/>, in session mode.</summary>
    public string InSessions => new NpgsqlConnectionStringBuilder(Address) { Database = "sessions" }.ConnectionString;

    /// <summary>The same database without a pooler between.</summary>
    public string Direct { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Direct = await postgres.CreateEmptyDatabaseAsync();
        var server = new NpgsqlConnectionStringBuilder(Direct);
        Address = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = _port,
            Database = server.Database,
            Username = "anybody",
            Password = "anything"
        }.ConnectionString;
        var to = $"host=127.0.0.1 port={server.Port} dbname={server.Database} user={server.Username} password={server.Password}";
        var file = _folder.Below("pgbouncer.ini");
        await File.WriteAllTextAsync(file, $"""
            [databases]
            {server.Database} = {to}
            sessions = {to} pool_mode=session
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {_port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 8
            max_client_conn = 300
            query_wait_timeout = 60
            logfile = {_folder.Below("log")}
            pidfile = {_folder.Below("pid")}
            """);
        await PostgresAccount.Current().OwnAsync(_folder.Path, default); // it refuses root
        var (exitCode, output) = await PostgresAccount.Current().RunAsync(Program, ["-q", "-d", file], default);
        Assert.True(exitCode == 0, output);
        for (var started = TimeProvider.System.GetTimestamp(); LocalPostgresPort.IsFree(_port);)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, "PgBouncer does not listen.");
            await Task.Delay(20);
        }
    }

    public ValueTask DisposeAsync()
    {
        if (File.Exists(_folder.Below("pid")))
        {
            using var pooler = System.Diagnostics.Process.GetProcessById(
                int.Parse(File.ReadAllText(_folder.Below("pid")), CultureInfo.InvariantCulture));
            pooler.Kill();
            pooler.WaitForExit();
        }

        _folder.Dispose();
        return default;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
