namespace Headstart.Learning.Onnx;

/// <summary>How the vectors that a network gives for its tokens, <c>[n, tokens, d]</c>, become one, <c>[n, d]</c>.</summary>
public enum Pooling
{
    /// <summary>The network gives one vector already.</summary>
    None,

    /// <summary>The vector of the first token, the class token of BERT and ViT.</summary>
    Cls,

    /// <summary>The mean over all tokens.</summary>
    Mean,
}

/// <summary>The order in which a network wants the colours of an image.</summary>
public enum ChannelOrder
{
    Rgb,

    /// <summary>Blue first, as Caffe, CNTK and OpenCV have it.</summary>
    Bgr,
}

/// <summary>What an image network is read as, where the graph alone does not say it.</summary>
/// <param name="Output">Which of the outputs; null where there is one.</param>
/// <param name="Pooling">What becomes of an output <c>[n, tokens, d]</c>.</param>
/// <param name="Channels">Images are RGB here; for <see cref="ChannelOrder.Bgr"/> the graph swaps them as it begins.</param>
public sealed record NetworkReading(string? Output = null, Pooling Pooling = Pooling.None, ChannelOrder Channels = ChannelOrder.Rgb)
{
    /// <summary>As most networks are read.</summary>
    public static NetworkReading Usual { get; } = new();

    /// <summary>Tells readings that give other numbers apart; empty for the usual one.</summary>
    public string Id => string.Concat(
        Output is null ? "" : $"-{Output}", Pooling is Pooling.None ? "" : $"-{Pooling.ToString().ToLowerInvariant()}",
        Channels is ChannelOrder.Rgb ? "" : "-bgr");
}
