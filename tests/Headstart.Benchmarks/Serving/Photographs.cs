using System.Net;
using System.Net.Http.Headers;

namespace Headstart.Benchmarks.Serving;

/// <summary>
/// Real photographs as request bodies. With a stamp eight changing bytes follow the JPEG's end-of-image marker: every decoder ignores them
/// and the picture stays the same, but no two files have the same SHA-256, so that nothing remembered can answer.
/// </summary>
internal sealed class Photographs(byte[][] files)
{
    private static long s_stamp = TimeProvider.System.GetUtcNow().Ticks;

    public int Count => files.Length;

    public byte[][] Files => files;

    public static byte[] Stamped(byte[] file) => [.. file, .. NextStamp()];

    public HttpContent Content(int i, bool stamped) => new Body(files[i % files.Length], stamped ? NextStamp() : []);

    private static byte[] NextStamp() => BitConverter.GetBytes(Interlocked.Increment(ref s_stamp));

    /// <summary>Writes what is in memory already: the generator shares the cores with what it measures.</summary>
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
