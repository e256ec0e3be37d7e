namespace Headstart.Uploads.Tables;

/// <summary>A stream read through a window of bytes that grows until it holds a whole item.</summary>
internal sealed class StreamWindow(Stream stream)
{
    private byte[] _bytes = new byte[1 << 16];
    private int _start, _end;
    private bool _begun;

    /// <summary>The bytes that have been read but not passed.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(_start, _end - _start);

    public int Length => _end - _start;

    /// <summary>Whether nothing comes after <see cref="Bytes"/>.</summary>
    public bool Ended { get; private set; }

    public void Pass(int count) => _start += count;

    /// <summary>Reads more. A full window doubles, so that a large item is not rescanned for every chunk of it.</summary>
    public async Task ReadOnAsync(CancellationToken cancel)
    {
        if (_start > 0)
        {
            Bytes.CopyTo(_bytes);
            (_start, _end) = (0, Length);
        }
        else if (_end == _bytes.Length)
        {
            Array.Resize(ref _bytes, _bytes.Length * 2);
        }

        var read = await stream.ReadAtLeastAsync(_bytes.AsMemory(_end), _bytes.Length - _end, throwOnEndOfStream: false, cancel);
        Ended = read < _bytes.Length - _end;
        _end += read;
        if (!_begun && Bytes.StartsWith("\uFEFF"u8))
        {
            Pass(3); // the byte order mark that Windows writes before text
        }

        _begun = true;
    }
}
