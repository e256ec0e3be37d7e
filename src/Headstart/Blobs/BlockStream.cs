namespace Headstart.Blobs;

/// <summary>
/// A seekable stream that fetches blocks and keeps the last two: an archive is read from its end and then through its files, a table from
/// its start. For one reader at a time.
/// </summary>
/// <param name="length">Length of the whole in bytes.</param>
/// <param name="fetch">Fetches bytes: offset, number of bytes.</param>
public sealed class BlockStream(long length, Func<long, int, CancellationToken, Task<byte[]>> fetch) : Stream
{
    public const int BlockBytes = 4 << 20;

    private (long Number, byte[] Bytes)? _last;
    private (long Number, byte[] Bytes)? _before;
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => _position = value >= 0 ? value : throw new IOException("Cannot seek before the start.");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position >= length || buffer.Length == 0)
        {
            return 0;
        }

        var (number, offset) = (_position / BlockBytes, (int)(_position % BlockBytes));
        var block = await BlockAsync(number, cancellationToken);
        var count = Math.Min(buffer.Length, block.Length - offset);
        block.AsMemory(offset, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Blocks on the store: only readers without an asynchronous way call it, on threads that may wait.</summary>
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => _position,
        _ => length,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private async ValueTask<byte[]> BlockAsync(long number, CancellationToken cancel)
    {
        if (_last?.Number != number)
        {
            var wanted = _before?.Number == number ? _before
                : (number, await fetch(number * BlockBytes, (int)Math.Min(BlockBytes, length - number * BlockBytes), cancel));
            (_last, _before) = (wanted, _last);
        }

        return _last!.Value.Bytes;
    }
}
