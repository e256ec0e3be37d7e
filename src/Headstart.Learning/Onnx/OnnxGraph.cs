using Google.Protobuf;

namespace Headstart.Learning.Onnx;

/// <summary>An ONNX image network, parsed to find and cut out its features; nothing is executed. Immutable and thread-safe.</summary>
public sealed class OnnxGraph
{
    /// <summary>Larger files are refused; protobuf's own limit is 2 GiB.</summary>
    public const long LargestFile = 1L << 30;

    private readonly ModelProto _model;
    private readonly GraphIndex _index;
    private readonly byte[] _bytes;
    private readonly NetworkReading _reading;

    private OnnxGraph(ModelProto model, byte[] bytes, NetworkReading reading)
    {
        (_model, _bytes, _reading) = (model, bytes, reading);
        GraphChecks.Check(model);
        if (reading.Output is { } output)
        {
            GraphCut.Keep(model.Graph, output);
        }

        _index = new GraphIndex(model.Graph);
        Input = _index.Input;
        if (reading.Channels is ChannelOrder.Bgr)
        {
            GraphCut.SwapChannels(model.Graph, Input);
            _index = new GraphIndex(model.Graph);
        }
    }

    /// <summary>Name of the only input, the image <c>[n, 3, S, S]</c>.</summary>
    public string Input { get; }

    /// <summary>The declared shape of <see cref="Input"/>; -1 for dynamic sizes, null if undeclared.</summary>
    public IReadOnlyList<long>? InputShape => _index.DeclaredShape(Input);

    /// <summary>Whether the input is float32; other types (bytes, float16) are not supported.</summary>
    public bool InputIsFloat => _index.IsFloat;

    /// <param name="path">The file.</param>
    /// <param name="reading">How to use the network; by default <see cref="NetworkReading.Usual"/>.</param>
    /// <exception cref="OnnxModelException">The file is missing, too large, not an ONNX model or not one with a single image
    /// input.</exception>
    public static OnnxGraph Read(string path, NetworkReading? reading = null)
    {
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.Length > LargestFile)
            {
                throw new OnnxModelException($"The file has {stream.Length:N0} bytes; at most {LargestFile:N0} are supported.");
            }

            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return Parse(bytes, reading);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OnnxModelException($"The file cannot be read: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <param name="bytes">The model; kept, not copied.</param>
    /// <param name="reading">How to use the network; by default <see cref="NetworkReading.Usual"/>.</param>
    /// <exception cref="OnnxModelException">Not an ONNX model, or not one with a single image input and all weights inside.</exception>
    public static OnnxGraph Parse(byte[] bytes, NetworkReading? reading = null)
    {
        try
        {
            return new OnnxGraph(ModelProto.Parser.ParseFrom(bytes), bytes, reading ?? NetworkReading.Usual);
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or OutOfMemoryException)
        {
            throw new OnnxModelException($"The file is not an ONNX model, or is damaged: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <summary>
    /// Finds the input of the classifier: of the last linear layer with constant weights that leads to an output through nothing but
    /// reshaping, softmax, biases and averaging. A 1x1 convolution counts as a linear layer too; followed by an activation or pooling
    /// (SqueezeNet) it is a classifier only with a softmax after it, a dropout before it or as many channels as ImageNet has classes (1000,
    /// or 1001 with background), because MobileNets without their classifier end the same way.
    /// </summary>
    /// <exception cref="OnnxModelException">There are several outputs and none comes from a classifier.</exception>
    public FeatureTensor FindFeatures() => new FeatureSearch(_index).Find();

    /// <summary>The output of a graph that is known to end in features, without looking for a classifier, pooled as the reading
    /// says.</summary>
    /// <exception cref="OnnxModelException">There are several outputs.</exception>
    public FeatureTensor OutputFeatures() => new FeatureSearch(_index).Output(_reading.Pooling);

    /// <summary>The tensors before each halving of height and width, deepest last: the ends of the stages of a convolutional network. Each
    /// is another candidate for the features of the same backbone; empty for networks without such stages (ViT).</summary>
    public IReadOnlyList<FeatureTensor> IntermediateCuts() => new FeatureMaps(_index).StageEnds();

    /// <summary>The feature map <c>[n, c, h, w]</c> whose average these features are, as far as the graph shows; null if they are not an
    /// average (ViT). The computation of its operators is not verified.</summary>
    /// <param name="features">One of this graph's feature tensors.</param>
    public FeatureTensor? FindFeatureMap(FeatureTensor features) =>
        new FeatureSearch(_index).FindMap(features);

    /// <summary>The model with <c>features [n, d]</c>, float32, as its only output and without everything that this does not need. A graph
    /// that already has this form is returned byte for byte.</summary>
    /// <param name="at">One of this graph's feature tensors.</param>
    /// <exception cref="OnnxModelException">The graph has no such tensor, or the tensor does not depend on the image.</exception>
    public byte[] Cut(FeatureTensor at) =>
        Cut([at]);

    /// <summary>The same with several feature tensors concatenated: <c>features [n, sum of d]</c> in one pass.</summary>
    /// <exception cref="OnnxModelException">The graph has no such tensor, or one does not depend on the image.</exception>
    public byte[] Cut(IReadOnlyList<FeatureTensor> at) =>
        at is [var only] && _reading == NetworkReading.Usual && _index.IsCutAlready(only) ? [.. _bytes]
            : GraphCut.Cut(_model, _index, at).ToByteArray();

    /// <summary>The model with one float32 output for each of these tensors, in their order, neither pooled nor flattened.</summary>
    /// <exception cref="OnnxModelException">The graph has no such tensor, or one does not depend on the image.</exception>
    public byte[] CutMaps(IReadOnlyList<FeatureTensor> at) =>
        GraphCut.CutMaps(_model, _index, at).ToByteArray();

    /// <summary>The ends of the stages with an 8th, a 16th and a 32nd of the image's height and width, for detectors; null for networks
    /// that lack one of them (ViT, SqueezeNet).</summary>
    /// <param name="features">The network's features, after the last stage.</param>
    public IReadOnlyList<FeatureTensor>? DetectionStages(FeatureTensor features)
    {
        var maps = new FeatureMaps(_index);
        var ends = maps.StageEnds().ToDictionary(end => end.Stride!.Value);
        var last = FindFeatureMap(features)?.Tensors.Single();
        return ends.TryGetValue(8, out var eighth) && ends.TryGetValue(16, out var sixteenth) && last is not null
            && maps.Find(last) is { Down: 32 } map
            ? [eighth, sixteenth, new FeatureTensor([last], Pool: true, map.Channels, Classifier: false, 32)] : null;
    }

    /// <summary>Like <see cref="CutMaps"/>, for images of any size.</summary>
    /// <exception cref="OnnxModelException">The graph has no such tensor, or one does not depend on the image.</exception>
    internal ModelProto CutMapsOfAnySize(IReadOnlyList<FeatureTensor> at)
    {
        var cut = GraphCut.CutMaps(_model, _index, at);
        GraphCut.FreeInput(cut.Graph, Input);
        return cut;
    }
}
