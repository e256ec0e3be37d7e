using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Headstart.Hosting;

/// <summary>
/// HTTP/2 without TLS on the port of HTTP/1.1, for clients that begin with it unasked ("prior knowledge"), as those of gRPC do. Without TLS
/// Kestrel takes every connection of such a port for HTTP/1.1; here the first bytes decide (RFC 9113, section 3.4). With TLS the client and
/// Kestrel agree on a protocol by themselves.
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
                return; // nothing came
            }

            if (http2)
            {
                var protocols = Protocols(HttpProtocols.Http2);
                connection.Features[protocols.GetType()] = protocols;
            }

            await next(connection);
        });
    });

    /// <returns>Whether the client speaks HTTP/2; null where the connection or the host ended before it spoke. A client that sends its
    /// preface in pieces is taken for one of HTTP/1.1.</returns>
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
            input.AdvanceTo(first.Buffer.Start); // read again by whoever answers
            return begins;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return null;
        }
    }

    private static bool Begins(ReadOnlySequence<byte> bytes) =>
        bytes.Length >= Preface.Length && new SequenceReader<byte>(bytes).IsNext(Preface);

    /// <summary>How Kestrel itself says that a connection has another protocol than its endpoint; it has no public way
    /// (CleartextHttp2Tests says so should it ever go).</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    [return: UnsafeAccessorType(
        "Microsoft.AspNetCore.Server.Kestrel.Core.Internal.HttpProtocolsFeature, Microsoft.AspNetCore.Server.Kestrel.Core")]
    private static extern object Protocols(HttpProtocols protocols);
}
