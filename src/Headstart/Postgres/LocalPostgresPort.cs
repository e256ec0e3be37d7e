using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Headstart.Postgres;

/// <summary>The port of the local PostgreSQL: chosen once and kept while it is free.</summary>
public static class LocalPostgresPort
{
    public static int Choose(string file)
    {
        if (File.Exists(file) && int.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var kept) && IsFree(kept))
        {
            return kept;
        }

        // Below the ports that systems use for outgoing connections, so that it is still free after a crash.
        var port = Enumerable.Range(0, 200).Select(_ => RandomNumberGenerator.GetInt32(20_000, 32_000)).First(IsFree);
        File.WriteAllText(file, port.ToString(CultureInfo.InvariantCulture));
        return port;
    }

    public static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
