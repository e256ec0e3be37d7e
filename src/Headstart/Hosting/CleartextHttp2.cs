using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Headstart.Hosting;

/// <summary>
/// HTTP/2 without TLS on the port of HTTP/1.1, for clients that start with it directly ("prior knowledge"), such as gRPC clients. Without
/// TLS, Kestrel takes every connection to such a port for HTTP/1.1; here the first bytes decide (RFC 9113, section 3.4). With TLS, client
/// and Kestrel negotiate the protocol.
/// </summary>
internal static class CleartextHttp2
{
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public static void UseCleartextHttp2(this KestrelServerOptions kestrel) => kestrel.ConfigureEndpointDefaults(endpoint =>
    {
        var idle = kestrel.Limits.KeepAliveTimeout;
        endpoint.Use(next => async connection =>
        {
            if (await BeginsAsync(connection, idle) is not { } http2)
            {
                return; // closed before the client sent anything
            }

            if (http2)
            {
                var protocols = Protocols(HttpProtocols.Http2);
                connection.Features[protocols.GetType()] = protocols;
            }

            await next(connection);
        });
    });

    /// <returns>Whether the client speaks HTTP/2; null if the connection or the host ended first. A client that sends its preface in
    /// pieces is taken for HTTP/1.1.</returns>
    private static async Task<bool?> BeginsAsync(ConnectionContext connection, TimeSpan idle)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed,
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default);
        left.CancelAfter(idle);
        try
        {
            var input = connection.Transport.Input;
            var first = await input.ReadAsync(left.Token);
            var begins = Begins(first.Buffer);
            input.AdvanceTo(first.Buffer.Start); // Kestrel reads these bytes again
            return begins;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return null;
        }
    }

    private static bool Begins(ReadOnlySequence<byte> bytes) =>
        bytes.Length >= Preface.Length && new SequenceReader<byte>(bytes).IsNext(Preface);

    /// <summary>How Kestrel itself marks a connection whose protocol differs from its endpoint's; there is no public way
    /// (CleartextHttp2Tests fails if it disappears).</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    [return: UnsafeAccessorType(
        "Microsoft.AspNetCore.Server.Kestrel.Core.Internal.HttpProtocolsFeature, Microsoft.AspNetCore.Server.Kestrel.Core")]
    private static extern object Protocols(HttpProtocols protocols);
}
