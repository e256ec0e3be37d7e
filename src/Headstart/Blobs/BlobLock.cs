using Headstart.Data;
using Npgsql;

namespace Headstart.Blobs;

/// <summary>
/// Who may delete blobs: one collector, or nobody while a backup copies what its snapshot refers to. The lock belongs to a connection, so it is gone
/// with the process; who deletes asks the database over the very connection before it does, and finds there that the lock is lost.
/// </summary>
public sealed class BlobLock : IAsyncDisposable
{
    private const long Key = 0x426C_6F62;

    private BlobLock(NpgsqlConnection connection) => Connection = connection;

    public NpgsqlConnection Connection { get; }

    /// <summary>SQL that is true where the running transaction may delete: no collector and no backup is at work until it ends.</summary>
    public static FormattableString MayDelete => $"""SELECT pg_try_advisory_xact_lock({Key}) AS "Value" """;

    /// <summary>For the collector; null while somebody else has the lock.</summary>
    public static async Task<BlobLock?> TryDeleteAsync(DatabaseAddress database, CancellationToken cancel)
    {
        var opened = await OpenAsync(database, cancel);
        try
        {
            await using var command = new NpgsqlCommand($"SELECT pg_try_advisory_lock({Key})", opened.Connection);
            if (await command.ExecuteScalarAsync(cancel) is true)
            {
                return opened;
            }
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }

        await opened.DisposeAsync();
        return null;
    }

    /// <summary>For a backup: nothing is deleted as long as it is held. Waits for a collector to end, and for no other backup.</summary>
    public static async Task<BlobLock> KeepAsync(DatabaseAddress database, CancellationToken cancel)
    {
        var opened = await OpenAsync(database, cancel);
        try
        {
            await using var command = new NpgsqlCommand($"SELECT pg_advisory_lock_shared({Key})", opened.Connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancel);
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>Gives the lock back at once: with the connection it would go too, but PostgreSQL notices that a moment later, and the next to ask is refused.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await using var unlock = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", Connection) { CommandTimeout = 5 };
            await unlock.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            // The connection is gone, and the lock with it.
        }
        finally
        {
            await Connection.DisposeAsync();
        }
    }

    private static async Task<BlobLock> OpenAsync(DatabaseAddress database, CancellationToken cancel)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false, KeepAlive = 30 }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);
            return new(connection);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
