using Npgsql;

namespace Headstart.Postgres;

/// <summary>What a server reports about itself and a database.</summary>
/// <param name="Backend">Id of the process that answers.</param>
/// <param name="Version">For example 150004.</param>
/// <param name="Encoding">Encoding of the database.</param>
/// <param name="IsStandby">Whether it replicates another server.</param>
/// <param name="IsReadOnly">Whether it refuses changes, for whatever reason.</param>
/// <param name="Database">Its name, quoted if SQL needs it.</param>
/// <param name="User">The user, quoted if SQL needs it.</param>
public sealed record ServerFacts(int Backend, int Version, string Encoding, bool IsStandby, bool IsReadOnly, string Database, string User)
{
    /// <summary>The oldest PostgreSQL on which the migrations and a training run were tested.</summary>
    public const int OldestMajor = 13;

    private const string Sql = """
        SELECT pg_backend_pid(), current_setting('server_version_num')::int, current_setting('server_encoding'), pg_is_in_recovery(),
            current_setting('transaction_read_only')::bool, quote_ident(current_database()), quote_ident(current_user)
        """;

    internal static async Task<ServerFacts> AskAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var row = await command.ExecuteReaderAsync(cancel);
        await row.ReadAsync(cancel);
        return new(row.GetInt32(0), row.GetInt32(1), row.GetString(2), row.GetBoolean(3), row.GetBoolean(4), row.GetString(5),
            row.GetString(6));
    }

    /// <returns>Why Headstart cannot use this database and what to do; null if it can.</returns>
    public string? Refusal() =>
        Version / 10000 < OldestMajor ? $"The server is PostgreSQL {Major}, but Headstart needs {OldestMajor} or newer; name another "
            + "server in ConnectionStrings:Headstart."
        : Encoding != "UTF8" ? $"The database {Database} has the encoding {Encoding}, but Headstart needs UTF8; create one with CREATE "
            + $"DATABASE headstart OWNER {User} ENCODING 'UTF8' TEMPLATE template0; and name it in ConnectionStrings:Headstart."
        : IsStandby ? "The server is a read-only standby, but Headstart needs to write; name the primary in ConnectionStrings:Headstart, "
            + "or all servers separated by commas (host-a:5432,host-b:5432)."
        : IsReadOnly ? $"The database {Database} is read-only (default_transaction_read_only is on for it, for {User} or for the server), "
            + "but Headstart needs to write; turn that off."
        : null;

    private string Major => Version >= 100000 ? $"{Version / 10000}" : $"{Version / 10000}.{Version / 100 % 100}";
}
