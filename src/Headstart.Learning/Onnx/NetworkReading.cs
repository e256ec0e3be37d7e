namespace Headstart.Learning.Onnx;

/// <summary>How a network's vectors for its tokens, <c>[n, tokens, d]</c>, become one, <c>[n, d]</c>.</summary>
public enum Pooling
{
    /// <summary>The network already gives one vector.</summary>
    None,

    /// <summary>The vector of the first token, the class token of BERT and ViT.</summary>
    Cls,

    /// <summary>The mean over all tokens.</summary>
    Mean,
}

/// <summary>The order in which a network reads the colours of an image.</summary>
public enum ChannelOrder
{
    Rgb,

    /// <summary>Blue first, as in Caffe, CNTK and OpenCV.</summary>
    Bgr,
}

/// <summary>How an image network is used, as far as the graph does not say it.</summary>
/// <param name="Output">Name of the output; null if there is only one.</param>
/// <param name="Pooling">How an output <c>[n, tokens, d]</c> becomes one vector.</param>
/// <param name="Channels">Images are RGB here; for <see cref="ChannelOrder.Bgr"/> the graph swaps them first.</param>
public sealed record NetworkReading(string? Output = null, Pooling Pooling = Pooling.None, ChannelOrder Channels = ChannelOrder.Rgb)
{
    /// <summary>The settings of most networks.</summary>
    public static NetworkReading Usual { get; } = new();

    /// <summary>Distinguishes settings that give different numbers; empty for the usual ones.</summary>
    public string Id => string.Concat(
        Output is null ? "" : $"-{Output}", Pooling is Pooling.None ? "" : $"-{Pooling.ToString().ToLowerInvariant()}",
        Channels is ChannelOrder.Rgb ? "" : "-bgr");
}
