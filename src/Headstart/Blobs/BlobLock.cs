using Headstart.Postgres;
using Npgsql;

namespace Headstart.Blobs;

/// <summary>
/// Who may delete blobs: one collector, or nobody while a backup copies what its snapshot refers to. The lock belongs to a connection and
/// so ends with the process. Before deleting, the collector queries the database over this connection and thereby notices a lost lock.
/// </summary>
public sealed class BlobLock : IAsyncDisposable
{
    private const long Key = 0x426C_6F62;
    private const string Look = "look";

    private NpgsqlTransaction? _transaction;

    private BlobLock(NpgsqlConnection connection) => Connection = connection;

    public NpgsqlConnection Connection { get; }

    /// <summary>SQL that is true if the current transaction may delete: no collector or backup can begin before it ends.</summary>
    public static FormattableString MayDelete => $"""SELECT pg_try_advisory_xact_lock({Key}) AS "Value" """;

    /// <summary>
    /// Takes the lock for the collector; null while another process has it. It is a transaction's lock, which works through a pooler.
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

    /// <summary>For a backup: nothing is deleted while it is held. Waits for a collector, but not for another backup.</summary>
    /// <param name="database">Not behind a pooler in transaction mode: the lock is a session's, because the backup's transaction must begin
    /// after it.</param>
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
    /// Queries the database over the collector's connection, which fails if the lock is lost. A savepoint releases the query's own locks:
    /// otherwise a migration would wait for the end of the collection.
    /// </summary>
    public async Task<T> AskAsync<T>(Func<NpgsqlConnection, Task<T>> question, CancellationToken cancel)
    {
        await _transaction!.SaveAsync(Look, cancel);
        var answer = await question(Connection);
        await _transaction.RollbackAsync(Look, cancel);
        return answer;
    }

    /// <summary>Releases the lock at once: closing the connection would too, but PostgreSQL notices that a moment later and would refuse
    /// the next one to ask.</summary>
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
