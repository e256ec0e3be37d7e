using System.Globalization;
using Npgsql;

namespace Headstart.Postgres;

/// <summary>The parts of a URL read so far.</summary>
internal sealed class UrlParts
{
    private const int UsualPort = 5432;

    public NpgsqlConnectionStringBuilder To { get; } = [];

    /// <summary>Names or addresses; IPv6 without brackets.</summary>
    public IReadOnlyList<string> Hosts { get; set; } = [];

    /// <summary>One per host, one for all, or none.</summary>
    public IReadOnlyList<string> Ports { get; set; } = [];

    /// <summary>libpq's value, or <c>no-verify</c>.</summary>
    public string? SslMode { get; set; }

    public string? RootCertificate { get; set; }

    /// <summary><c>a:5432,[::1]:5433,%2Fvar%2Frun%2Fpostgresql</c></summary>
    public void AddHosts(string text)
    {
        if (text.Length == 0)
        {
            return;
        }

        var (hosts, ports) = (new List<string>(), new List<string>());
        foreach (var host in text.Split(','))
        {
            var bracket = host.LastIndexOf(']');
            var colon = host.IndexOf(':', bracket + 1);
            hosts.Add(Uri.UnescapeDataString(colon < 0 ? host : host[..colon]).TrimStart('[').TrimEnd(']'));
            ports.Add(colon < 0 ? "" : host[(colon + 1)..]);
        }

        (Hosts, Ports) = (hosts, ports);
    }

    /// <exception cref="StartupException">Hosts and ports do not match, or the TLS mode is invalid.</exception>
    public NpgsqlConnectionStringBuilder Finish()
    {
        SetHosts();
        SetTls();
        if (To.TcpKeepAliveTime == 0)
        {
            To.Remove("TCP Keepalive Interval"); // Npgsql takes it only with the time
        }

        return To;
    }

    private void SetHosts()
    {
        if (Hosts.Count == 0 || Hosts.Any(host => host.Length == 0))
        {
            throw DatabaseUrl.Refusal("it names no host");
        }

        if (Ports.Count > 1 && Ports.Count != Hosts.Count)
        {
            throw DatabaseUrl.Refusal("the number of ports in the parameter 'port' differs from the number of hosts");
        }

        var ports = Hosts.Select((_, i) => Ports.Count == 0 ? UsualPort : PortOf(Ports[Ports.Count == 1 ? 0 : i])).ToList();
        (To.Host, To.Port) = Hosts.Count == 1 ? (Hosts[0], ports[0])
            : (string.Join(',', Hosts.Zip(ports, static (host, port) =>
                host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}")), UsualPort);
    }

    public static bool IsPort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535;

    private static int PortOf(string text) => text.Length == 0 ? UsualPort
        : IsPort(text) ? int.Parse(text, CultureInfo.InvariantCulture)
        : throw DatabaseUrl.Refusal("its port is not a number from 1 to 65535");

    /// <summary>Like libpq: mode <c>require</c> checks a given root certificate, too, and <c>system</c> means the system's
    /// certificates.</summary>
    private void SetTls()
    {
        var system = RootCertificate == "system";
        To.RootCertificate = system ? null : RootCertificate;
        To.SslMode = (SslMode ?? (system ? "verify-full" : "prefer")) switch
        {
            "disable" => Npgsql.SslMode.Disable,
            "allow" => Npgsql.SslMode.Allow,
            "prefer" => Npgsql.SslMode.Prefer,
            "require" => RootCertificate is null ? Npgsql.SslMode.Require : system ? Npgsql.SslMode.VerifyFull : Npgsql.SslMode.VerifyCA,
            "no-verify" => Npgsql.SslMode.Require, // node-postgres
            "verify-ca" => Npgsql.SslMode.VerifyCA,
            "verify-full" => Npgsql.SslMode.VerifyFull,
            _ => throw DatabaseUrl.Refusal(
                "the parameter 'sslmode' must be one of disable, allow, prefer, require, verify-ca, verify-full"),
        };
    }
}
