using Headstart.Backups;
using Headstart.Postgres;

namespace Headstart;

/// <summary>What the host holds while it runs: the locked data folder, and PostgreSQL unless the settings name a database.</summary>
public sealed class HostResources : IAsyncDisposable
{
    private readonly DataFolder _folder;
    private readonly LocalPostgres? _postgres;

    private HostResources(DataFolder folder, LocalPostgres? postgres, DatabaseAddress database) =>
        (_folder, _postgres, Paths, Database) = (folder, postgres, new(folder.Path), database);

    public DataPaths Paths { get; }

    public DatabaseAddress Database { get; }

    /// <exception cref="StartupException">Another host uses the folder, a restore into it did not finish, or no usable PostgreSQL was
    /// found.</exception>
    public static async Task<HostResources> OpenAsync(IConfiguration configuration, Settings settings, CancellationToken cancel,
        bool restoring = false)
    {
        var connectionString = configuration.GetConnectionString("Headstart");
        var folder = DataFolder.Open(settings.DataDirectory);
        try
        {
            if (!restoring)
            {
                RestoreMark.RefuseHalf(folder.Path);
            }

            using var logs = StartLogs(configuration);
            if (!string.IsNullOrWhiteSpace(connectionString))
            {
                var log = logs.CreateLogger(typeof(DatabaseConnector));
                return new(folder, null, await DatabaseConnector.ReachAsync(connectionString, log, cancel));
            }

            var postgres = await LocalPostgres.StartAsync(folder, settings.Postgres, logs.CreateLogger<LocalPostgres>(), cancel);
            return new(folder, postgres, new(postgres.ConnectionString, IsOwn: true));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>For logs before the host is built.</summary>
    /// <exception cref="StartupException">A setting of logs cannot be read.</exception>
    internal static ILoggerFactory StartLogs(IConfiguration configuration)
    {
        try
        {
            return LoggerFactory.Create(logging => logging.AddConfiguration(configuration.GetSection("Logging"))
                .AddSimpleConsole(o => o.SingleLine = true));
        }
        catch (InvalidOperationException e)
        {
            throw new StartupException($"A setting under Logging: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Stops the database last, when nothing uses it any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }

        _folder.Dispose();
    }
}
