using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Headstart.Postgres;

/// <summary>Behind a pooler, sets the idle limit in each transaction: see
/// <see cref="DatabaseAddress.Shared"/>.</summary>
internal sealed class IdleLimit : DbTransactionInterceptor
{
    public override DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
    {
        using var command = Command(connection, result);
        command.ExecuteNonQuery();
        return result;
    }

    public override async ValueTask<DbTransaction> TransactionStartedAsync(
        DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken = default)
    {
        await using var command = Command(connection, result);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return result;
    }

    private static DbCommand Command(DbConnection connection, DbTransaction transaction)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = DatabaseAddress.MayNotIdle;
        return command;
    }
}
