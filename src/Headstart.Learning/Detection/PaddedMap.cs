namespace Headstart.Learning.Detection;

/// <summary>A map with zeros around it, as <see cref="ChannelConvolution"/> reads it.</summary>
internal readonly ref struct PaddedMap
{
    public PaddedMap(ChannelConvolution size, Span<float> values)
    {
        Size = size;
        Values = values;
        var end = 0; // of the previous row
        for (var y = 0; y < size.Height; y++)
        {
            values[end..size.Start(y)].Clear();
            end = size.Start(y) + Row;
        }

        values[end..].Clear();
    }

    public ChannelConvolution Size { get; }

    public Span<float> Values { get; }

    /// <summary>Length of a row.</summary>
    public int Row => Size.Width * Size.Channels;

    /// <summary>Row y, <c>[w, c]</c></summary>
    public Span<float> this[int y] => Values.Slice(Size.Start(y), Row);
}
