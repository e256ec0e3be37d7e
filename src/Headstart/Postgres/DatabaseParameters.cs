using System.Globalization;
using Npgsql;

namespace Headstart.Postgres;

/// <summary>Converts libpq's parameters to Npgsql's keywords; also accepts Npgsql's own keywords.</summary>
internal static class DatabaseParameters
{
    private const int LongestTimeout = 1024; // seconds, Npgsql's limit

    /// <returns>Whether the parameter is known.</returns>
    /// <exception cref="StartupException">Its value cannot be used.</exception>
    public static bool Set(UrlParts parts, string name, string value)
    {
        try
        {
            return SetKnown(parts, name, value);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or OverflowException
            or NotSupportedException)
        {
            throw DatabaseUrl.Refusal($"the parameter '{name}' has an invalid value");
        }
    }

    private static bool SetKnown(UrlParts parts, string name, string value)
    {
        var to = parts.To;
        switch (name)
        {
            case "host": parts.Hosts = value.Split(','); break;
            case "port": parts.Ports = value.Split(','); break;
            case "user": to.Username = value; break;
            case "password": to.Password = value; break;
            case "dbname": to.Database = value; break;
            case "sslmode": parts.SslMode = value; break;
            case "ssl": parts.SslMode ??= Flag(name, value) ? "require" : "disable"; break; // JDBC and node-postgres
            case "sslrootcert": parts.RootCertificate = value; break;
            case "sslcert": to.SslCertificate = value; break;
            case "sslkey": to.SslKey = value; break;
            case "application_name": to.ApplicationName = value; break;
            case "fallback_application_name": to.ApplicationName ??= value; break;
            case "connect_timeout": to.Timeout = Math.Clamp(Number(name, value), 0, LongestTimeout); break;
            case "require_auth": to.RequireAuth = string.Join(',', value.Split(',').Select(mode => NameOf(mode, name))); break;
            case "krbsrvname": to.KerberosServiceName = value; break;
            case "client_encoding" when value.ToLowerInvariant() is "auto" or "utf8" or "utf-8" or "unicode": break; // always UTF-8
            case "load_balance_hosts": to.LoadBalanceHosts = value == "random"; break;
            case "keepalives": to.TcpKeepAlive = Flag(name, value); break;
            case "keepalives_idle": to.TcpKeepAliveTime = Math.Max(0, Number(name, value)); break; // 0: the system's
            case "keepalives_interval": to.TcpKeepAliveInterval = Math.Max(0, Number(name, value)); break;
            case "pgbouncer": _ = Flag(name, value); break; // Prisma; poolers are detected anyway
            default: return SetKeyword(to, name, value);
        }

        return true;
    }

    private static bool SetKeyword(NpgsqlConnectionStringBuilder to, string name, string value)
    {
        // Also handles libpq's sslpassword, channel_binding, passfile and options, and all of Npgsql's own keywords.
        var keyword = name switch
        {
            "gssencmode" => "GSS Encryption Mode",
            "target_session_attrs" => "Target Session Attributes",
            "sslnegotiation" => "SSL Negotiation",
            _ => name.Replace('_', ' ')
        };
        if (!to.ContainsKey(keyword))
        {
            return false;
        }

        to[keyword] = value;
        return true;
    }

    private static string NameOf(string mode, string parameter) => (mode.StartsWith('!') ? "!" : "") + mode.TrimStart('!') switch
    {
        "password" => "Password",
        "md5" => "MD5",
        "gss" => "GSS",
        "sspi" => "SSPI",
        "scram-sha-256" => "ScramSHA256",
        "none" => "None",
        _ => throw DatabaseUrl.Refusal($"the parameter '{parameter}' has an invalid value"),
    };

    private static int Number(string name, string value) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
        : throw DatabaseUrl.Refusal($"the parameter '{name}' must be a number of seconds");

    private static bool Flag(string name, string value) => value.ToLowerInvariant() switch
    {
        "1" or "true" or "on" or "yes" => true,
        "0" or "false" or "off" or "no" => false,
        _ => throw DatabaseUrl.Refusal($"the parameter '{name}' must be true or false"),
    };
}
