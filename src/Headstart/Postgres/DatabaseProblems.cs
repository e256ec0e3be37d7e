using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Npgsql;

namespace Headstart.Postgres;

/// <summary>Explains failures of the database during the start: what happened and what to do. No sentence contains a
/// password.</summary>
public static class DatabaseProblems
{
    private const string Setting = "ConnectionStrings:Headstart";

    /// <param name="at">The database, if known.</param>
    /// <returns>null if the exception does not come from a database.</returns>
    public static string? Describe(Exception exception, DatabaseAddress? at = null)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case StartupException:
                    return null; // it already has a sentence
                case PostgresException refused:
                    return Describe(refused);
                case NpgsqlException failed:
                    return Describe(failed, at);
            }
        }

        return null;
    }

    /// <summary>Whether the failure may pass in a moment, as while a server starts.</summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        // PgBouncer uses this code for every failure. Only complaints about our request (parameters, login, database name) are permanent.
        PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation } pooler => !IsAboutUs(pooler.MessageText),
        PostgresException refused => refused.IsTransient,
        NpgsqlException { InnerException: null } failed => IsNoServer(failed),
        NpgsqlException { InnerException: { } inner } => IsTransient(inner),
        AggregateException several => several.InnerExceptions.All(IsTransient), // one per server
        _ => exception is SocketException or IOException or TimeoutException,
    };

    private static bool IsAboutUs(string message) => message.Contains("startup parameter", StringComparison.Ordinal)
        || message.Contains("authentication", StringComparison.Ordinal) || message.Contains("no such", StringComparison.Ordinal);

    private static bool IsNoServer(NpgsqlException e) => e.Message.StartsWith("No suitable host", StringComparison.Ordinal);

    private static string Describe(PostgresException e)
    {
        var text = e.MessageText.TrimEnd('.');
        return e.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword => $"The database rejected the user name or password: {text}. Correct {Setting}.",
            PostgresErrorCodes.InvalidAuthorizationSpecification when text.Contains("no encryption", StringComparison.Ordinal)
            || text.Contains("SSL off", StringComparison.Ordinal) =>
                $"The database rejected a connection without TLS: {text}. Set sslmode=require (SSL Mode=Require) in {Setting}, or allow "
                    + "it in pg_hba.conf.",
            PostgresErrorCodes.InvalidAuthorizationSpecification => $"The database rejected the user: {text}. Correct {Setting}, or allow "
                + "the user in pg_hba.conf.",
            PostgresErrorCodes.InvalidCatalogName => $"The database does not exist: {text}. Create it with CREATE DATABASE … ENCODING "
                + $"'UTF8' TEMPLATE template0; or correct {Setting}.",
            PostgresErrorCodes.InsufficientPrivilege =>
                $"The database user lacks a privilege: {text}. Grant it, or set {Setting} to the user that owns Headstart's tables.",
            PostgresErrorCodes.ReadOnlySqlTransaction => $"The database is read-only: {text}. Set {Setting} to the primary.",
            PostgresErrorCodes.TooManyConnections => $"The database accepts no more connections: {text}. Raise max_connections, or set "
                + $"Maximum Pool Size in {Setting}.",
            PostgresErrorCodes.LockNotAvailable => $"A table is in use, for example by a backup: {text}. Start again when that has "
                + "ended.",
            PostgresErrorCodes.ProtocolViolation when text.Contains("startup parameter", StringComparison.Ordinal) =>
                $"The pooler in front of the database rejected a parameter: {text}. Remove it from {Setting}, or connect to PostgreSQL "
                    + "directly.",
            PostgresErrorCodes.ProtocolViolation => $"The pooler in front of the database rejected the connection: {text}. Correct "
                + $"{Setting}, or check the pooler's log.",
            _ => $"The database reported an error: {text} ({e.SqlState}).",
        };
    }

    private static string Describe(NpgsqlException e, DatabaseAddress? at)
    {
        var reason = e.GetBaseException().Message.TrimEnd('.');
        return e switch
        {
            { InnerException: PostgresException refused } => Describe(refused),
            { InnerException: AggregateException several } when several.InnerExceptions.OfType<PostgresException>()
            .FirstOrDefault() is { } refused => Describe(refused),
            { InnerException: AuthenticationException } => $"The certificate of the database server is not trusted: {reason}. Set "
                + $"sslrootcert (Root Certificate) in {Setting} to the file with its CA certificate, or set sslmode=require, which does "
                + "not check it.",
            _ when e.GetBaseException() is CryptographicException =>
                $"A certificate or key that {Setting} names for TLS cannot be read: {reason}.",
            _ when e.Message.StartsWith("SSL connection requested", StringComparison.Ordinal) =>
                $"The database server does not offer TLS; set sslmode=prefer (SSL Mode=Prefer) in {Setting}, or turn on ssl in its "
                    + "postgresql.conf.",
            _ when e.Message.StartsWith("No password has been provided", StringComparison.Ordinal) => "The database requires a password, "
                + $"but {Setting} has none; add it.",
            _ when IsNoServer(e) => $"No server in {Setting} is both reachable and writable; start one, or name the primary.",
            { InnerException: SocketException or IOException or TimeoutException or AggregateException } =>
                $"The database{(at is null ? "" : $" at {at}")} cannot be reached: {reason}. Start it, or correct {Setting}.",
            _ => $"The database cannot be used: {reason}. Check {Setting}.",
        };
    }
}
