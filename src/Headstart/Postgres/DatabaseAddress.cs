using Npgsql;

namespace Headstart.Postgres;

/// <summary>What a connection to the database has of a session in the server.</summary>
public enum Sessions
{
    /// <summary>The connection is the server's own.</summary>
    Own,

    /// <summary>A pooler stands between and lends one for as long as the connection is open.</summary>
    Lent,

    /// <summary>A pooler stands between and lends one for a transaction at a time: what is set or locked outside of one is somebody else's
    /// a moment later.</summary>
    PerTransaction,
}

/// <summary>Where the database is, and whether this host alone uses it (its own local PostgreSQL) or others may too.</summary>
/// <param name="ConnectionString">As Npgsql takes it. It has the password.</param>
/// <param name="IsOwn">See above.</param>
/// <param name="Sessions">As <see cref="DatabaseConnector"/> found them.</param>
public sealed record DatabaseAddress(string ConnectionString, bool IsOwn, Sessions Sessions = Sessions.Own)
{
    private const string MayIdleFor = "60s";
    private static readonly string[] Readers = ["standby", "prefer-standby", "read-only"];

    /// <summary>SQL for a transaction that waits for something else than the database, for however long.</summary>
    public const string MayIdle = "SET LOCAL idle_in_transaction_session_timeout = 0";

    /// <summary>
    /// SQL for the beginning of a transaction, where <see cref="Shared"/> cannot say it: poolers take no startup options. What is
    /// configured holds.
    /// </summary>
    internal const string MayNotIdle = $"""
        SELECT set_config('idle_in_transaction_session_timeout', '{MayIdleFor}', true) WHERE current_setting('idle_in_transaction_session_timeout') = '0'
        """;

    /// <summary>
    /// For all that runs beside others. A process that stands still in the middle of a transaction (its machine is being moved, say) keeps
    /// its connections and so its locks: PostgreSQL ends a transaction that says nothing for this long, and who waited for the locks goes
    /// on.
    /// </summary>
    public string Shared
    {
        get
        {
            var address = new NpgsqlConnectionStringBuilder(ConnectionString);
            if (Sessions == Sessions.Own)
            {
                // what is configured comes last and holds
                address.Options = $"-c idle_in_transaction_session_timeout={MayIdleFor} {address.Options}".TrimEnd();
            }

            address.NoResetOnClose |= Sessions == Sessions.PerTransaction; // the session that would be reset is another one
            return address.ConnectionString;
        }
    }

    /// <summary>
    /// For a connection that waits or holds something, and must not be handed to others. It says now and then that it is there, so that
    /// nobody takes it for idle who stands between or watches over transactions.
    /// </summary>
    public string Unpooled => new NpgsqlConnectionStringBuilder(ConnectionString)
    {
        Pooling = false,
        Multiplexing = false,
        KeepAlive = 30
    }.ConnectionString;

    /// <summary>Reads <c>ConnectionStrings:Headstart</c>: an address (<see cref="DatabaseUrl"/>) or Npgsql's keywords.</summary>
    /// <exception cref="StartupException">It is neither, or cannot be used; the message says why and has no password.</exception>
    public static DatabaseAddress Parse(string text)
    {
        text = text.Trim();
        var address = DatabaseUrl.Is(text) ? DatabaseUrl.Parse(text) : DatabaseKeywords.Parse(text);
        if (Readers.Contains(address.TargetSessionAttributes))
        {
            throw DatabaseUrl.Refusal($"target_session_attrs is {address.TargetSessionAttributes}, but Headstart needs to write; use "
                + "read-write");
        }

        // Of several servers the one that can be written to; Npgsql takes this for one server as an error.
        address.TargetSessionAttributes = address.Host?.Contains(',', StringComparison.Ordinal) != true ? null
            : address.TargetSessionAttributes ?? "read-write";
        foreach (var file in (string?[])[address.RootCertificate, address.SslCertificate, address.SslKey])
        {
            if (file is not null && !File.Exists(file))
            {
                throw DatabaseUrl.Refusal($"the TLS file '{file}' does not exist");
            }
        }

        try
        {
            using var valid = new NpgsqlConnection(address.ConnectionString);
            return new(address.ConnectionString, IsOwn: false);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw DatabaseUrl.Refusal(address.Host is null ? "it names no host" : e.Message.TrimEnd('.'));
        }
    }

    /// <exception cref="StartupException">Sessions are lent by the transaction.</exception>
    public void NeedSession(string verb)
    {
        if (Sessions == Sessions.PerTransaction)
        {
            throw new StartupException($"'{verb}' needs a direct connection to PostgreSQL, but ConnectionStrings:Headstart names a pooler "
                + "in transaction mode, where pg_dump and pg_restore would change other clients' sessions; set "
                + "ConnectionStrings__Headstart to PostgreSQL's own host and port for this command.");
        }
    }

    /// <summary>Without the password: it may be logged.</summary>
    public override string ToString()
    {
        var address = new NpgsqlConnectionStringBuilder(ConnectionString);
        var port = address.Host?.Contains(',', StringComparison.Ordinal) == true ? "" : $":{address.Port}"; // several have theirs
        return $"{address.Host}{port}/{address.Database}";
    }
}
