using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Headstart.Learning.Tests.Backbones;

/// <summary>An HTTP server of this machine that may misbehave: each answer is written byte for byte by the test.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Request, Task> _answer;

    public LoopbackServer(Func<Request, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/models/tiny.onnx");
        _ = AcceptAsync();
    }

    public Uri Address { get; }

    public ConcurrentQueue<Request> Requests { get; } = [];

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                var path = (await reader.ReadLineAsync(_stop.Token))?.Split(' ')[1] ?? "";
                long? from = null;
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
                {
                    if (line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase))
                    {
                        from = long.Parse(line[13..].TrimEnd('-'), CultureInfo.InvariantCulture);
                    }
                }

                var request = new Request(path, from, Requests.Count, stream, _stop.Token);
                Requests.Enqueue(request);
                await _answer(request);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
            }
        }
    }

    public sealed record Request(string Path, long? From, int Number, Stream Stream, CancellationToken Stop)
    {
        public Task HeadAsync(string status, params string[] headers) =>
            BodyAsync(Encoding.ASCII.GetBytes(
                $"HTTP/1.1 {status}\r\nConnection: close\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n"));

        public Task BodyAsync(ReadOnlyMemory<byte> bytes) => Stream.WriteAsync(bytes, Stop).AsTask();

        /// <summary>As a good server answers, ranges included.</summary>
        public async Task FileAsync(byte[] file)
        {
            var from = (int)(From ?? 0);
            await (From is null ? HeadAsync("200 OK", $"Content-Length: {file.Length}")
                : HeadAsync("206 Partial Content", $"Content-Length: {file.Length - from}",
                    $"Content-Range: bytes {from}-{file.Length - 1}/{file.Length}"));
            await BodyAsync(file.AsMemory(from));
        }
    }
}
