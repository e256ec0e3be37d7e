using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Headstart.Tests.NanoNets;

/// <summary>An answer, read from the socket.</summary>
internal sealed record WireAnswer(int Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    /// <summary>The body; the status must be this one.</summary>
    public JsonNode Json(int status = 200)
    {
        Assert.True(Status == status, $"{Status} instead of {status}: {Body}");
        Assert.StartsWith("application/json", Headers["Content-Type"]);
        return JsonNode.Parse(Body)!;
    }
}

/// <summary>Sends bytes as they are and reads the answer, without an HTTP client that would put them right.</summary>
internal static class Wire
{
    public static async Task<WireAnswer> SendAsync(Uri address, byte[] request)
    {
        using var client = new TcpClient { ReceiveTimeout = 120_000 };
        await client.ConnectAsync(address.Host, address.Port, Api.Cancel);
        await using var stream = client.GetStream();
        await stream.WriteAsync(request, Api.Cancel);
        return await Task.Run(() => Read(stream), Api.Cancel); // never on the caller's thread, which may have to let the server answer
    }

    private static WireAnswer Read(Stream stream)
    {
        using var reader = new BinaryReader(new BufferedStream(stream), Encoding.Latin1);
        var status = int.Parse(Line(reader).Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (Line(reader) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':');
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }

        return new(status, headers, Encoding.UTF8.GetString(Body(reader, headers)));
    }

    private static byte[] Body(BinaryReader reader, Dictionary<string, string> headers)
    {
        if (headers.TryGetValue("Content-Length", out var length))
        {
            return reader.ReadBytes(int.Parse(length, CultureInfo.InvariantCulture));
        }

        if (!headers.ContainsKey("Transfer-Encoding"))
        {
            return [];
        }

        var body = new List<byte>();
        while (int.Parse(Line(reader), NumberStyles.HexNumber, CultureInfo.InvariantCulture) is > 0 and var chunk)
        {
            body.AddRange(reader.ReadBytes(chunk));
            Line(reader);
        }

        return [.. body];
    }

    private static string Line(BinaryReader reader)
    {
        var line = new StringBuilder();
        while (reader.ReadByte() is var next && next != '\n')
        {
            line.Append((char)next);
        }

        return line.ToString().TrimEnd('\r');
    }
}
