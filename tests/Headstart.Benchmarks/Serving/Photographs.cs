using System.Net;
using System.Net.Http.Headers;

namespace Headstart.Benchmarks.Serving;

/// <summary>Real photographs as request bodies. A stamp adds eight changing bytes after the JPEG's end-of-image marker: decoders ignore
/// them and the image stays the same, but no two files have the same SHA-256, so no cache can answer.</summary>
internal sealed class Photographs(byte[][] files)
{
    private static long s_stamp = TimeProvider.System.GetUtcNow().Ticks;

    public int Count => files.Length;

    public byte[][] Files => files;

    public static byte[] Stamped(byte[] file) => [.. file, .. NextStamp()];

    public HttpContent Content(int i, bool stamped) => new Body(files[i % files.Length], stamped ? NextStamp() : []);

    private static byte[] NextStamp() => BitConverter.GetBytes(Interlocked.Increment(ref s_stamp));

    /// <summary>Writes bytes that are already in memory, because the generator shares the cores with what it measures.</summary>
    private sealed class Body : HttpContent
    {
        private static readonly MediaTypeHeaderValue Jpeg = new("image/jpeg");

        private readonly byte[] _file;
        private readonly byte[] _stamp;

        public Body(byte[] file, byte[] stamp)
        {
            (_file, _stamp) = (file, stamp);
            Headers.ContentType = Jpeg;
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(_file);
            await stream.WriteAsync(_stamp);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _file.Length + _stamp.Length;
            return true;
        }
    }
}
