using Headstart.Postgres;
using Npgsql;

namespace Headstart.Blobs;

/// <summary>
/// Who may delete blobs: one collector, or nobody while a backup copies what its snapshot refers to. The lock belongs to a connection, so
/// it is gone with the process; who deletes asks the database over the very connection before it does, and finds there that the lock is
/// lost.
/// </summary>
public sealed class BlobLock : IAsyncDisposable
{
    private const long Key = 0x426C_6F62;
    private const string Look = "look";

    private NpgsqlTransaction? _transaction;

    private BlobLock(NpgsqlConnection connection) => Connection = connection;

    public NpgsqlConnection Connection { get; }

    /// <summary>SQL that is true where the running transaction may delete: no collector and no backup is at work until it ends.</summary>
    public static FormattableString MayDelete => $"""SELECT pg_try_advisory_xact_lock({Key}) AS "Value" """;

    /// <summary>
    /// For the collector; null while another process has the lock. It is that of a transaction, which a pooler keeps together.
    /// </summary>
    public static async Task<BlobLock?> TryDeleteAsync(DatabaseAddress database, CancellationToken cancel)
    {
        var opened = await OpenAsync(database, cancel);
        try
        {
            opened._transaction = await opened.Connection.BeginTransactionAsync(cancel);
            await using var command = new NpgsqlCommand($"{DatabaseAddress.MayIdle}; SELECT pg_try_advisory_xact_lock({Key})",
                opened.Connection);
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
    /// <param name="database">Not behind a pooler in transaction mode: the lock is the session's, as the backup's transaction must begin
    /// behind it.</param>
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

    /// <summary>
    /// For the collector: asks the database over the connection that has the lock; where the lock is lost, so is the connection, and this
    /// fails. What the question locks is let go with its savepoint: a migration would wait for the end of the collection.
    /// </summary>
    public async Task<T> AskAsync<T>(Func<NpgsqlConnection, Task<T>> question, CancellationToken cancel)
    {
        await _transaction!.SaveAsync(Look, cancel);
        var answer = await question(Connection);
        await _transaction.RollbackAsync(Look, cancel);
        return answer;
    }

    /// <summary>Gives the lock back at once: with the connection it would go too, but PostgreSQL notices that a moment later, and the next
    /// to ask is refused.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_transaction is not null)
            {
                await _transaction.DisposeAsync();
            }
            else
            {
                await using var unlock = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", Connection) { CommandTimeout = 5 };
                await unlock.ExecuteNonQueryAsync(CancellationToken.None);
            }
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
        var connection = new NpgsqlConnection(database.Unpooled);
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
