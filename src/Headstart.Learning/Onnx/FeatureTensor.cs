namespace Headstart.Learning.Onnx;

/// <summary>Where a network can be cut so that it gives feature vectors <c>[n, d]</c>.</summary>
/// <param name="Tensors"> Name of the tensor in the graph. More than one where the network averages several classifiers (the distilled DeiT
/// has one for its class token and one for its distillation token): the features are then the mean of these tensors.
/// </param>
/// <param name="Pool">The tensor is <c>[n, d, h, w]</c>: global average pooling is appended.</param>
/// <param name="Length">d, where the graph tells it.</param>
/// <param name="Classifier">False for a graph that ends in features already, and for inner tensors.</param>
/// <param name="Tokens">What becomes of a tensor <c>[n, tokens, d]</c>.</param>
/// <param name="Stride">Pixels of the image that one place of an inner tensor steps over: 8, 16…</param>
public sealed record FeatureTensor(IReadOnlyList<string> Tensors, bool Pool, int? Length, bool Classifier, int? Stride = null,
    Pooling Tokens = Pooling.None)
{
    public string Name => string.Join('+', Tensors);
}
