using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Headstart.Operations;
using Npgsql;

namespace Headstart.Postgres;

/// <summary>Turns what a database refuses before the program is ready into a sentence: what happened, and what to do. None has a password.</summary>
public static class DatabaseProblems
{
    private const string Setting = "ConnectionStrings:Headstart";

    /// <param name="exception">What was thrown.</param>
    /// <param name="at">Where, if that is known.</param>
    /// <returns>null where it does not come from a database.</returns>
    public static string? Describe(Exception exception, DatabaseAddress? at = null)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case StartupException:
                    return null; // has its sentence
                case PostgresException refused:
                    return Describe(refused);
                case NpgsqlException failed:
                    return Describe(failed, at);
            }
        }

        return null;
    }

    /// <summary>Whether it may be gone in a moment, as while a server starts.</summary>
    public static bool IsPassing(Exception exception) => exception switch
    {
        // A pooler gives this code to whatever is wrong; what it never gets over is what we asked for.
        PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation } pooler => !IsAboutUs(pooler.MessageText),
        PostgresException refused => refused.IsTransient,
        NpgsqlException { InnerException: null } failed => IsNoServer(failed),
        NpgsqlException { InnerException: { } inner } => IsPassing(inner),
        AggregateException several => several.InnerExceptions.All(IsPassing), // one for each server
        _ => exception is SocketException or IOException or TimeoutException,
    };

    private static bool IsAboutUs(string message) => message.Contains("startup parameter", StringComparison.Ordinal)
        || message.Contains("authentication", StringComparison.Ordinal) || message.Contains("no such", StringComparison.Ordinal);

    private static bool IsNoServer(NpgsqlException e) => e.Message.StartsWith("No suitable host", StringComparison.Ordinal);

    private static string Describe(PostgresException e)
    {
        var said = e.MessageText.TrimEnd('.');
        return e.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword => $"The database refuses the user or the password: {said}. Correct {Setting}.",
            PostgresErrorCodes.InvalidAuthorizationSpecification when said.Contains("no encryption", StringComparison.Ordinal) || said.Contains("SSL off", StringComparison.Ordinal) =>
                $"The database refuses a connection without TLS: {said}. Set sslmode=require (SSL Mode=Require) in {Setting}, or have it allowed in pg_hba.conf.",
            PostgresErrorCodes.InvalidAuthorizationSpecification => $"The database refuses the user: {said}. Correct {Setting}, or have the user allowed in pg_hba.conf.",
            PostgresErrorCodes.InvalidCatalogName => $"There is no such database: {said}. Make it with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0; or correct {Setting}.",
            PostgresErrorCodes.InsufficientPrivilege =>
                $"The database user lacks a right: {said}. Grant it, or name the user in {Setting} that owns Headstart's tables.",
            PostgresErrorCodes.ReadOnlySqlTransaction => $"The database is read-only: {said}. Name the primary in {Setting}.",
            PostgresErrorCodes.TooManyConnections => $"The database takes no more connections: {said}. Raise max_connections, or set Maximum Pool Size in {Setting}.",
            PostgresErrorCodes.ProtocolViolation when said.Contains("startup parameter", StringComparison.Ordinal) =>
                $"The pooler in front of the database refuses a parameter: {said}. Remove it from {Setting}, or name PostgreSQL itself there.",
            PostgresErrorCodes.ProtocolViolation => $"The pooler in front of the database refuses: {said}. Correct {Setting}, or look into the pooler's log.",
            _ => $"The database refuses: {said} ({e.SqlState}).",
        };
    }

    private static string Describe(NpgsqlException e, DatabaseAddress? at)
    {
        var reason = e.GetBaseException().Message.TrimEnd('.');
        return e switch
        {
            { InnerException: PostgresException refused } => Describe(refused),
            { InnerException: AggregateException several } when several.InnerExceptions.OfType<PostgresException>().FirstOrDefault() is { } refused => Describe(refused),
            { InnerException: AuthenticationException } => $"The certificate of the database server is refused: {reason}. "
                + $"Name the file with the certificate of its authority as sslrootcert (Root Certificate) in {Setting}, or set sslmode=require, which does not check it.",
            _ when e.GetBaseException() is CryptographicException => $"A certificate or key that {Setting} names for TLS cannot be read: {reason}.",
            _ when e.Message.StartsWith("SSL connection requested", StringComparison.Ordinal) =>
                $"The database server does not offer TLS; set sslmode=prefer (SSL Mode=Prefer) in {Setting}, or switch ssl on in its postgresql.conf.",
            _ when e.Message.StartsWith("No password has been provided", StringComparison.Ordinal) => $"The database wants a password and {Setting} has none; add it.",
            _ when IsNoServer(e) => $"None of the servers in {Setting} can be reached and written to; start one, or name the primary.",
            { InnerException: SocketException or IOException or TimeoutException or AggregateException } =>
                $"The database{(at is null ? "" : $" at {at}")} cannot be reached: {reason}. Start it, or correct {Setting}.",
            _ => $"The database cannot be used: {reason}. Look at {Setting}.",
        };
    }
}
