using Npgsql;

namespace Headstart.Postgres;

/// <summary>How long a database connection keeps the same session in the server.</summary>
public enum Sessions
{
    /// <summary>Always: there is no pooler in between.</summary>
    Own,

    /// <summary>While the connection is open: a pooler lends the session.</summary>
    Lent,

    /// <summary>During one transaction: a pooler lends the session. Settings and locks outside a transaction end up in other clients'
    /// sessions.</summary>
    PerTransaction,
}

/// <summary>Where the database is, and whether this host alone uses it (its own local PostgreSQL) or others may too.</summary>
/// <param name="ConnectionString">Npgsql's connection string, including the password.</param>
/// <param name="IsOwn">Whether this host alone uses it.</param>
/// <param name="Sessions">Detected by <see cref="DatabaseConnector"/>.</param>
public sealed record DatabaseAddress(string ConnectionString, bool IsOwn, Sessions Sessions = Sessions.Own)
{
    private const string MayIdleFor = "60s";
    private static readonly string[] Readers = ["standby", "prefer-standby", "read-only"];

    /// <summary>SQL for a transaction that waits for something other than the database, without a time limit.</summary>
    public const string MayIdle = "SET LOCAL idle_in_transaction_session_timeout = 0";

    /// <summary>Like <see cref="MayIdle"/>, on an <see cref="Unpooled"/> connection: its keepalives show that the process lives.</summary>
    public const string MayIdleWhileAlive = "SET LOCAL idle_in_transaction_session_timeout = '5min'";

    /// <summary>
    /// SQL for the start of a transaction behind a pooler, which takes no startup options as in <see cref="Shared"/>. A configured limit is
    /// kept.
    /// </summary>
    internal const string MayNotIdle = $"""
        SELECT set_config('idle_in_transaction_session_timeout', '{MayIdleFor}', true) WHERE current_setting('idle_in_transaction_session_timeout') = '0'
        """;

    /// <summary>
    /// For everything that shares the database. A process that freezes inside a transaction, for example while its machine is migrated,
    /// keeps its connections and locks: PostgreSQL ends a transaction that is idle for this long, so that those waiting for its locks can
    /// continue.
    /// </summary>
    public string Shared
    {
        get
        {
            var address = new NpgsqlConnectionStringBuilder(ConnectionString);
            if (Sessions == Sessions.Own)
            {
                // Configured options come last and win.
                address.Options = $"-c idle_in_transaction_session_timeout={MayIdleFor} {address.Options}".TrimEnd();
            }

            address.NoResetOnClose |= Sessions == Sessions.PerTransaction; // it would reset another client's session
            return address.ConnectionString;
        }
    }

    /// <summary>Like <see cref="Shared"/>, without waiting long for a table that others use: all that comes later would wait behind
    /// it.</summary>
    public string ForMigrations
    {
        get
        {
            var address = new NpgsqlConnectionStringBuilder(Shared) { Pooling = false };
            if (Sessions == Sessions.Own)
            {
                address.Options = $"-c lock_timeout=30s {address.Options}";
            }

            return address.ConnectionString;
        }
    }

    /// <summary>
    /// For a connection that waits or holds something and must not be pooled. It sends a keepalive now and then, so that nothing in between
    /// and no watchdog of transactions takes it for idle.
    /// </summary>
    public string Unpooled => new NpgsqlConnectionStringBuilder(ConnectionString)
    {
        Pooling = false,
        Multiplexing = false,
        KeepAlive = 30
    }.ConnectionString;

    /// <summary>Reads <c>ConnectionStrings:Headstart</c>: an address (<see cref="DatabaseUrl"/>) or Npgsql's keywords.</summary>
    /// <exception cref="StartupException">It is neither, or cannot be used; the message says why, without the password.</exception>
    public static DatabaseAddress Parse(string text)
    {
        text = text.Trim();
        if (text.Length > 1 && text[0] is '"' or '\'' && text[^1] == text[0])
        {
            text = text[1..^1]; // files of variables keep the quotes of a shell
        }

        var address = DatabaseUrl.Is(text) ? DatabaseUrl.Parse(text) : DatabaseKeywords.Parse(text);
        if (Readers.Contains(address.TargetSessionAttributes))
        {
            throw DatabaseUrl.Refusal($"target_session_attrs is {address.TargetSessionAttributes}, but Headstart needs to write; use "
                + "read-write");
        }

        // Of several servers use the writable one; Npgsql rejects this setting for a single server.
        address.TargetSessionAttributes = address.Host?.Contains(',', StringComparison.Ordinal) != true ? null
            : address.TargetSessionAttributes ?? "read-write";
        foreach (var file in (string?[])[address.RootCertificate, address.SslCertificate, address.SslKey])
        {
            if (file is not null && !File.Exists(file))
            {
                throw DatabaseUrl.Refusal($"the TLS file '{file}' does not exist");
            }
        }

        if (!(address.Host ?? "").Split(',').All(host => UrlParts.IsPort(PortIn(host) ?? $"{address.Port}")))
        {
            throw DatabaseUrl.Refusal("its port is not a number from 1 to 65535");
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

    /// <summary>What follows the colon of <c>host:port</c>; null for a host alone, an IPv6 address or a socket's folder.</summary>
    private static string? PortIn(string host)
    {
        var colon = host.LastIndexOf(':');
        return colon < 0 || host.StartsWith('/') || (host.IndexOf(':', StringComparison.Ordinal) < colon && host[colon - 1] != ']') ? null
            : host[(colon + 1)..];
    }

    /// <exception cref="StartupException">A pooler lends sessions per transaction.</exception>
    public void NeedSession(string verb)
    {
        if (Sessions == Sessions.PerTransaction)
        {
            throw new StartupException($"'{verb}' needs a direct connection to PostgreSQL, but ConnectionStrings:Headstart names a pooler "
                + "in transaction mode, where pg_dump and pg_restore would change other clients' sessions; set "
                + "ConnectionStrings__Headstart to PostgreSQL's own host and port for this command.");
        }
    }

    /// <summary>Without the password, so that it can be logged.</summary>
    public override string ToString()
    {
        var address = new NpgsqlConnectionStringBuilder(ConnectionString);
        var port = address.Host?.Contains(',', StringComparison.Ordinal) == true ? "" : $":{address.Port}"; // several have their own
        return $"{address.Host}{port}/{address.Database}";
    }
}
