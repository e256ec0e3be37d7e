using System.Diagnostics;
using Headstart.Configuration;
using Headstart.Disk;
using Headstart.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Headstart.Tests.Postgres;

/// <summary>What a test needs that starts, kills and looks into a local PostgreSQL of its own.</summary>
internal sealed class OwnPostgres : IDisposable
{
    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public TemporaryFolder Folder { get; } = new();

    public LocalPostgresOptions Options { get; } = new() { Fsync = false };

    public string Home => Folder.Below("postgres");

    public void Dispose() => Folder.Dispose();

    public static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancel);
    }

    public static async Task<object?> EventuallyAsync(Func<Task<object?>> attempt)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await attempt();
            }
            catch (NpgsqlException e) when (e.IsTransient && tries < 1_200)
            {
                await Task.Delay(100, Cancel);
            }
        }
    }

    public async Task<LocalPostgres> StartAsync(DataFolder data)
    {
        using var waiting = Waits.For("a PostgreSQL of the tests");
        return await LocalPostgres.StartAsync(data, Options, NullLogger.Instance, Cancel);
    }

    public async Task<LocalPostgresCluster> ClusterAsync()
    {
        var account = PostgresAccount.Current();
        var binaries = await PostgresBinaries.FindAsync(
            Options, PostgresBinaries.UsualPlaces(), Home, null, account, NullLogger.Instance, Cancel);
        return new LocalPostgresCluster(Home, binaries, account, fsync: false);
    }

    public int Postmaster() => int.Parse(File.ReadLines(Path.Combine(Home, "cluster", "postmaster.pid")).First());

    /// <summary>The servers that run on this test's cluster; Linux only, elsewhere none.</summary>
    public IEnumerable<string> Servers() => !OperatingSystem.IsLinux() ? [] :
        Process.GetProcessesByName("postgres").Select(CommandLine).Where(line => line.Contains(Home, StringComparison.Ordinal));

    /// <summary>Empty for one that has ended.</summary>
    public static string CommandLine(Process process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process.Id}/cmdline");
        }
        catch (IOException)
        {
            return ""; // another test's server, which ended in this moment
        }
    }
}
