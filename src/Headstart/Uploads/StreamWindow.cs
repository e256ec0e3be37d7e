namespace Headstart.Uploads;

/// <summary>A stream through a window of bytes that grows as far as what is in it has to be seen whole.</summary>
internal sealed class StreamWindow(Stream stream)
{
    private byte[] _bytes = new byte[1 << 16];
    private int _start, _end;
    private bool _begun;

    /// <summary>What has been read and not passed.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(_start, _end - _start);

    public int Length => _end - _start;

    /// <summary>Whether nothing comes after <see cref="Bytes"/>.</summary>
    public bool Ended { get; private set; }

    public void Pass(int count) => _start += count;

    /// <summary>Reads on. Where the window is full it becomes twice as wide, so that what is large is not looked at again for every piece of it.</summary>
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
            Pass(3); // the mark that Windows puts in front of text
        }

        _begun = true;
    }
}
