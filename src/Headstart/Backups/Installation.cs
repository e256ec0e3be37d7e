using Headstart.Blobs;
using Headstart.Postgres;

namespace Headstart.Backups;

/// <summary>The installation named by the settings: its database, whether or not a host is running on it, and its blobs.</summary>
internal sealed class Installation : IAsyncDisposable
{
    private readonly HostResources? _home;

    private Installation(Settings settings, DataPaths paths, DatabaseAddress database, HostResources? home) =>
        (Paths, Database, Stores, _home) = (paths, database, new BlobStores(settings.Blobs, paths, TimeProvider.System), home);

    public DataPaths Paths { get; }

    public DatabaseAddress Database { get; }

    public BlobStores Stores { get; }

    /// <summary>Opens it for reading. A running host continues; its own PostgreSQL is started meanwhile if it is not running.</summary>
    /// <exception cref="StartupException">There is no usable installation.</exception>
    public static async Task<Installation> ReachAsync(IConfiguration configuration, Settings settings, CancellationToken cancel)
    {
        var paths = new DataPaths(DataFolder.Resolve(settings.DataDirectory));
        if (configuration.GetConnectionString("Headstart") is { } named && !string.IsNullOrWhiteSpace(named))
        {
            using var logs = HostResources.StartLogs(configuration);
            var log = logs.CreateLogger(typeof(DatabaseConnector));
            return new(settings, paths, await DatabaseConnector.ReachAsync(named, log, cancel), null);
        }

        if (LocalPostgres.AddressIn(paths.Root) is not { } own)
        {
            throw new StartupException($"There is no database in the data folder '{paths.Root}' and none in ConnectionStrings:Headstart, "
                + "so there is nothing to back up.");
        }

        if (DataFolder.IsInUse(paths.Root))
        {
            return new(settings, paths, own, null);
        }

        var home = await HostResources.OpenAsync(configuration, settings, cancel);
        return new(settings, home.Paths, home.Database, home);
    }

    /// <summary>Opens it for a restore, locked for this program.</summary>
    public static async Task<Installation> FillAsync(IConfiguration configuration, Settings settings, CancellationToken cancel)
    {
        var home = await HostResources.OpenAsync(configuration, settings, cancel, restoring: true);
        return new(settings, home.Paths, home.Database, home);
    }

    public async ValueTask DisposeAsync()
    {
        Stores.Dispose();
        if (_home is not null)
        {
            await _home.DisposeAsync();
        }
    }
}
