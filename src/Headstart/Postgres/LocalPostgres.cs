using System.ComponentModel;
using System.Globalization;
using Npgsql;

namespace Headstart.Postgres;

/// <summary>The PostgreSQL that the host starts and owns: used by it alone, kept running, and stopped with it.</summary>
public sealed partial class LocalPostgres : IAsyncDisposable
{
    private const string Database = "headstart";
    private const string PasswordFile = "postgres.password";
    private static readonly string[] TransientErrors = ["shared memory block", "lock file"];
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    private readonly LocalPostgresCluster _cluster;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _supervision;
    private bool _disposed;

    private LocalPostgres(LocalPostgresCluster cluster, string connectionString, ILogger log)
    {
        (_cluster, ConnectionString, _log) = (cluster, connectionString, log);
        _supervision = Task.Run(() => SuperviseAsync(_stopping.Token));
    }

    /// <summary>Valid for the lifetime of this object, whatever happens to the server.</summary>
    public string ConnectionString { get; }

    /// <summary>The address of a data folder's database while its host runs; null if there has never been one.</summary>
    public static DatabaseAddress? AddressIn(string dataFolder)
    {
        var (port, password) = (Path.Combine(dataFolder, "postgres", "port"), Path.Combine(dataFolder, PasswordFile));
        return File.Exists(port) && File.Exists(password)
            ? new(Connection(int.Parse(File.ReadAllText(port), CultureInfo.InvariantCulture), File.ReadAllText(password).Trim())
                .ConnectionString, IsOwn: true)
            : null;
    }

    public static async Task<LocalPostgres> StartAsync(
        DataFolder folder, LocalPostgresOptions options, ILogger log, CancellationToken ct)
    {
        try
        {
            var account = PostgresAccount.Current();
            var home = await LocalPostgresFolder.PrepareAsync(folder, account, log, ct);
            var binaries = await PostgresBinaries.FindAsync(
                options, PostgresBinaries.UsualPlaces(), Path.Combine(home, "binaries"), LocalPostgresCluster.MajorIn(home),
                account, log, ct);
            var cluster = new LocalPostgresCluster(home, binaries, account, options.Fsync);
            return await StartAsync(cluster, folder, Path.Combine(home, "port"), log, ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidPassword)
        {
            throw new StartupException(
                $"The password in '{Path.Combine(folder.Path, PasswordFile)}' does not match the local database; " +
                "restore the file from when the database was created.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartupException(
                $"The local PostgreSQL in '{folder.Path}' could not be started: {e.Message.Trim().TrimEnd('.')}. If Headstart was once "
                    + $"started as root (sudo), change the folder's owner back: sudo chown -R $(id -u) '{folder.Path}'.",
                e);
        }
        catch (Exception e) when (e is IOException or Win32Exception or NpgsqlException)
        {
            throw new StartupException(
                $"The local PostgreSQL in '{folder.Path}' could not be started: {e.Message.Trim().TrimEnd('.')}.", e);
        }
    }

    /// <summary>Also ends a restart in progress: no server is left behind.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }

        try
        {
            await _stopping.CancelAsync();
            await _supervision;
        }
        finally
        {
            await _cluster.StopAsync();
            _stopping.Dispose();
        }

        Log.Stopped(_log);
    }

    private static async Task<LocalPostgres> StartAsync(
        LocalPostgresCluster cluster, DataFolder folder, string portFile, ILogger log, CancellationToken ct)
    {
        cluster.TrimLog(0);
        var password = folder.Secret(PasswordFile);
        if (!cluster.Exists)
        {
            await cluster.CreateAsync(password, ct);
        }

        LocalPostgres? running = null;
        try
        {
            var port = await StartOnFreePortAsync(cluster, portFile, ct);
            var connection = Connection(port, password);
            await EnsureDatabaseAsync(connection, ct);
            Log.Started(log, port, folder.Path);
            return running = new LocalPostgres(cluster, connection.ConnectionString, log);
        }
        finally
        {
            if (running is null)
            {
                await cluster.StopAsync();
            }
        }
    }

    private static async Task<int> StartOnFreePortAsync(LocalPostgresCluster cluster, string portFile, CancellationToken ct)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            // A killed host leaves its server running. A new one uses the current settings, and the wait is short.
            await cluster.StopAsync();
            var port = LocalPostgresPort.Choose(portFile);
            cluster.Configure(port);
            if (await cluster.StartAsync(ct))
            {
                return port;
            }

            // Worth another try: processes of a killed server are still exiting, a killed host's pg_ctl was just starting a server, or
            // another program just took the port.
            var reason = cluster.Reason();
            var passing = !LocalPostgresPort.IsFree(port)
                || Array.Exists(TransientErrors, cause => reason.Contains(cause, StringComparison.Ordinal));
            if (!passing || TimeProvider.System.GetElapsedTime(started) > StartTimeout)
            {
                throw new StartupException($"The local PostgreSQL did not start: {reason} (see its log '{cluster.LogFile}').");
            }

            await Task.Delay(PollInterval, ct);
        }
    }

    private static NpgsqlConnectionStringBuilder Connection(int port, string password) => new()
    {
        Host = "127.0.0.1",
        Port = port,
        Database = Database,
        Username = LocalPostgresCluster.Superuser,
        Password = password,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
        ApplicationName = "Headstart",
        MaxPoolSize = 40, // of the server's 100, because there may be several pools
    };

    private static async Task EnsureDatabaseAsync(NpgsqlConnectionStringBuilder connection, CancellationToken ct)
    {
        var maintenance = new NpgsqlConnectionStringBuilder(connection.ConnectionString) { Database = "postgres", Pooling = false };
        await using var source = NpgsqlDataSource.Create(maintenance);
        await using var exists = source.CreateCommand($"SELECT 1 FROM pg_database WHERE datname = '{Database}'");
        if (await exists.ExecuteScalarAsync(ct) is null)
        {
            await using var create = source.CreateCommand($"CREATE DATABASE {Database}");
            await create.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>Restarts the server on the same port whenever it dies; never gives up.</summary>
    private async Task SuperviseAsync(CancellationToken stopping)
    {
        for (var failures = 0; !stopping.IsCancellationRequested;)
        {
            var pause = PollInterval * Math.Pow(2, Math.Min(failures, 4));
            await Task.Delay(pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                failures = stopping.IsCancellationRequested || await KeepAliveAsync(failures, stopping) ? 0 : failures + 1;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
            {
                Complain(failures++, e.Message, e);
            }
        }
    }

    private async Task<bool> KeepAliveAsync(int failures, CancellationToken stopping)
    {
        if (_cluster.IsRunning())
        {
            _cluster.TrimLog();
            return true;
        }

        if (failures == 0)
        {
            Log.Died(_log);
        }

        // A server that is still recovering after a minute is left alone: the next check finds it running.
        if (await _cluster.StartAsync(stopping) || _cluster.IsRunning())
        {
            Log.Restarted(_log);
            return true;
        }

        Complain(failures, _cluster.Reason(), null);
        return false;
    }

    private void Complain(int failures, string reason, Exception? cause)
    {
        if (failures == 0)
        {
            Log.CannotRestart(_log, reason, cause);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The local PostgreSQL is listening on 127.0.0.1:{Port}; its data is in {Folder}.")]
        public static partial void Started(ILogger log, int port, string folder);

        [LoggerMessage(LogLevel.Information, "The local PostgreSQL has stopped.")]
        public static partial void Stopped(ILogger log);

        [LoggerMessage(LogLevel.Warning, "The local PostgreSQL stopped unexpectedly; restarting it.")]
        public static partial void Died(ILogger log);

        [LoggerMessage(LogLevel.Information, "The local PostgreSQL is running again.")]
        public static partial void Restarted(ILogger log);

        [LoggerMessage(LogLevel.Error, "The local PostgreSQL cannot be restarted: {Reason}. Retrying.")]
        public static partial void CannotRestart(ILogger log, string reason, Exception? cause);
    }
}
