using Npgsql;

namespace Headstart.Data;

/// <summary>Where the database is, and whether this host alone uses it (its own local PostgreSQL) or others may too.</summary>
public sealed record DatabaseAddress(string ConnectionString, bool IsOwn)
{
    /// <summary>
    /// For all that runs beside others. A process that stands still in the middle of a transaction (its machine is being moved, say) keeps its
    /// connections and so its locks: PostgreSQL ends a transaction that says nothing for this long, and who waited for the locks goes on.
    /// </summary>
    public string Shared
    {
        get
        {
            var address = new NpgsqlConnectionStringBuilder(ConnectionString);
            address.Options = $"-c idle_in_transaction_session_timeout=60s {address.Options}".TrimEnd(); // what is configured comes last and holds
            return address.ConnectionString;
        }
    }

    /// <summary>SQL for a transaction that waits for something else than the database, for however long.</summary>
    public const string MayIdle = "SET LOCAL idle_in_transaction_session_timeout = 0";
}
