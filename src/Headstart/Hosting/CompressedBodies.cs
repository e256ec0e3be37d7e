using System.IO.Compression;
using Microsoft.AspNetCore.Http.Features;

namespace Headstart.Hosting;

/// <summary>
/// Decompresses bodies sent with <c>Content-Encoding</c> gzip, deflate or br. ASP.NET Core's own middleware would read the limit for the
/// decompressed body before the endpoint sets it.
/// </summary>
internal static class CompressedBodies
{
    private const string Known = "gzip, deflate, br";

    /// <summary>Register before the endpoints and after authentication.</summary>
    public static void UseCompressedBodies(this WebApplication app) => app.Use(static (http, next) =>
    {
        var request = http.Request;
        var name = request.Headers.ContentEncoding.ToString().Trim().ToLowerInvariant();
        if (name is "" or "identity")
        {
            if (MayBeText(request.ContentType))
            {
                request.Body = new Sniffed(request.Body);
            }

            return next(http);
        }

        var unpacked = Unpacked(name, request.Body);
        request.Body = unpacked is null ? new Unknown(name, http.Response)
            : new Limited(unpacked, http.Features.Get<IHttpMaxRequestBodySizeFeature>());
        if (unpacked is not null)
        {
            http.Response.RegisterForDispose(unpacked); // the decoders hold memory that is not managed
        }

        request.Headers.ContentEncoding = default;
        request.ContentLength = null; // it was the length of the compressed body
        return next(http);
    });

    private static Stream? Unpacked(string name, Stream body) => name switch
    {
        "gzip" or "x-gzip" => new GZipStream(body, CompressionMode.Decompress, leaveOpen: true),
        "deflate" => new Deflated(body),
        "br" => new BrotliStream(body, CompressionMode.Decompress, leaveOpen: true),
        _ => null,
    };

    private static bool MayBeText(string? contentType) => contentType is not null
        && !contentType.StartsWith("image/", StringComparison.OrdinalIgnoreCase)
        && !contentType.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase)
        && !contentType.StartsWith("application/zip", StringComparison.OrdinalIgnoreCase);

    /// <summary>Refuses an unknown encoding when the body is read: endpoints that read no body are not affected.</summary>
    private sealed class Unknown(string name, HttpResponse response) : ForwardStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            response.OnStarting(() =>
            {
                response.Headers.AcceptEncoding = Known;
                return Task.CompletedTask;
            });
            throw new RefusedException(StatusCodes.Status415UnsupportedMediaType, "unsupported-encoding", "The body has the "
                + $"Content-Encoding \"{RequestBodies.Readable(name)}\"; this host reads {Known}. Send the body in one of them, or without "
                + "compression.");
        }
    }

    /// <summary>Enforces the limit that the endpoint has set by then on the decompressed body.</summary>
    private sealed class Limited(Stream inner, IHttpMaxRequestBodySizeFeature? limit) : ForwardStream
    {
        private long _read;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                var read = await inner.ReadAsync(buffer, cancellationToken);
                _read += read;
                return _read > limit?.MaxRequestBodySize ? throw new BadHttpRequestException("Unpacked, the request body is larger than "
                    + $"{limit.MaxRequestBodySize:N0} bytes.", StatusCodes.Status413PayloadTooLarge) : read;
            }
            catch (Exception e) when (e is InvalidDataException or InvalidOperationException)
            {
                throw new BadHttpRequestException("The body cannot be unpacked: it is damaged, incomplete, or not in the encoding that "
                    + "Content-Encoding names; compress it again.", e);
            }
        }
    }

    /// <summary>The standard's deflate has a zlib header (RFC 9110, 8.4.1.2); some clients omit it.</summary>
    private sealed class Deflated(Stream inner) : ForwardStream
    {
        private Stream? _unpacked;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_unpacked is null)
            {
                var first = new byte[2];
                var read = await inner.ReadAtLeastAsync(first, first.Length, throwOnEndOfStream: false, cancellationToken);
                var whole = new Prefixed(first[..read], inner);
                // RFC 1950: method 8, and both bytes together divisible by 31
                _unpacked = read == 2 && (first[0] & 15) == 8 && (first[0] * 256 + first[1]) % 31 == 0
                    ? new ZLibStream(whole, CompressionMode.Decompress, leaveOpen: true)
                    : new DeflateStream(whole, CompressionMode.Decompress, leaveOpen: true);
            }

            return await _unpacked.ReadAsync(buffer, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            _unpacked?.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class Prefixed(byte[] first, Stream rest) : ForwardStream
    {
        private int _passed;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_passed == first.Length)
            {
                return rest.ReadAsync(buffer, cancellationToken);
            }

            var count = Math.Min(buffer.Length, first.Length - _passed);
            first.AsMemory(_passed, count).CopyTo(buffer);
            _passed += count;
            return ValueTask.FromResult(count);
        }
    }

    /// <summary>Gives a body that is compressed without saying so an error of its own, not one about invalid JSON.</summary>
    private sealed class Sniffed(Stream inner) : ForwardStream
    {
        private bool _begun;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            if (!_begun && read > 0)
            {
                _begun = true;
                if (read > 2 && buffer.Span.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 8]))
                {
                    throw new BadHttpRequestException("The body is compressed with gzip, but the request does not say so; add the header "
                        + "Content-Encoding: gzip.");
                }
            }

            return read;
        }
    }
}
