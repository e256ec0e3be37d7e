using System.Net;

namespace Headstart.Tests.Hosting;

/// <summary>A body of blanks, made while it is sent: the sender holds none of it in memory.</summary>
internal sealed class Blanks(long length, bool chunked = false) : HttpContent
{
    private static readonly byte[] Chunk = Enumerable.Repeat((byte)' ', 64 << 10).ToArray();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, default);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        for (var left = length; left > 0; left -= Chunk.Length)
        {
            await stream.WriteAsync(Chunk.AsMemory(0, (int)Math.Min(left, Chunk.Length)), cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return !chunked;
    }
}
