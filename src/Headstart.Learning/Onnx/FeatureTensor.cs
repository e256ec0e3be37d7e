namespace Headstart.Learning.Onnx;

/// <summary>Where to cut a network so that it gives feature vectors <c>[n, d]</c>.</summary>
/// <param name="Tensors">Names of the tensors in the graph. More than one if the network averages several classifiers (the distilled DeiT
/// has one for its class token and one for its distillation token): the features are then the mean of these tensors.</param>
/// <param name="Pool">Whether the tensor is <c>[n, d, h, w]</c> and needs global average pooling.</param>
/// <param name="Length">d, if the graph declares it.</param>
/// <param name="Classifier">False for a graph that already ends in features, and for inner tensors.</param>
/// <param name="Tokens">How a tensor <c>[n, tokens, d]</c> becomes one vector.</param>
/// <param name="Stride">Distance in pixels of the image between neighbouring places of an inner tensor: 8, 16…</param>
public sealed record FeatureTensor(IReadOnlyList<string> Tensors, bool Pool, int? Length, bool Classifier, int? Stride = null,
    Pooling Tokens = Pooling.None)
{
    public string Name => string.Join('+', Tensors);
}
