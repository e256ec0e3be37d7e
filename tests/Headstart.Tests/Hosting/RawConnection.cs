using System.Net.Sockets;
using System.Text;

namespace Headstart.Tests.Hosting;

/// <summary>A client that sends what it likes, as slowly as it likes.</summary>
internal sealed class RawConnection : IAsyncDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 8_192, NoDelay = true };

    public static async Task<RawConnection> OpenAsync(Uri host)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync(host.Host, host.Port, Api.Cancel);
        return connection;
    }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes, Api.Cancel)..];
        }
    }

    /// <summary>Sends the same again and again, with a pause, until the server answers or closes.</summary>
    public async Task SendUntilAnsweredAsync(byte[] bytes, TimeSpan pause)
    {
        try
        {
            while (!_socket.Poll(TimeSpan.Zero, SelectMode.SelectRead))
            {
                await SendAsync(bytes);
                await Task.Delay(pause, Api.Cancel);
            }
        }
        catch (SocketException)
        {
            // Closed while it was sent: what came before is what counts.
        }
    }

    /// <summary>What the server sent until it closed the connection.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var (answer, buffer) = (new StringBuilder(), new byte[65_536]);
        try
        {
            while (await _socket.ReceiveAsync(buffer, Api.Cancel) is > 0 and var read)
            {
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (SocketException)
        {
            // Reset is an end, too.
        }

        return answer.ToString();
    }

    /// <summary>Takes a little, with a pause, again and again, until the server has closed the connection or sent so many bytes.</summary>
    /// <returns>How many bytes came.</returns>
    public async Task<int> ReadSlowlyAsync(int atOnce, TimeSpan pause, int most)
    {
        var (bytes, buffer) = (0, new byte[atOnce]);
        try
        {
            while (bytes < most && await _socket.ReceiveAsync(buffer, Api.Cancel) is > 0 and var read)
            {
                bytes += read;
                await Task.Delay(pause, Api.Cancel);
            }
        }
        catch (SocketException)
        {
            // Reset is an end, too.
        }

        return bytes;
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
