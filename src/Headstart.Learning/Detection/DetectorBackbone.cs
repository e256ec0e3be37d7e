using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Detection;

/// <summary>
/// A backbone cut at its last maps of strides 8, 16 and 32, for images of any size. One ONNX Runtime session, shared by all heads of a
/// host; may be used from many threads at once.
/// </summary>
public sealed class DetectorBackbone : IDisposable
{
    /// <summary>Distance in canvas pixels between neighbouring places of each map.</summary>
    internal static readonly int[] Strides = [8, 16, 32];

    private readonly BackboneFile _file;
    private readonly SessionOptions _options;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();

    private DetectorBackbone(BackboneFile file, byte[] network, SessionOptions options)
    {
        (_file, _options) = (file, options);
        _session = new InferenceSession(network, options);
    }

    public BackboneManifest Manifest => _file.Manifest;

    /// <summary>Number of channels of each map.</summary>
    public IReadOnlyList<int> Channels { get; private set; } = [];

    /// <summary>Whether a head was trained with this backbone and this preprocessing.</summary>
    public bool Feeds(DetectionHead head)
    {
        ArgumentNullException.ThrowIfNull(head);
        return (head.BackboneSha256, head.InputId) == (Manifest.Sha256, Manifest.InputId);
    }

    /// <param name="file">The backbone's file and manifest.</param>
    /// <param name="threads">Number of threads per image.</param>
    /// <exception cref="BackboneException">The file cannot be loaded, or lacks these stages (a transformer, SqueezeNet).</exception>
    public static DetectorBackbone Open(BackboneFile file, int threads)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        DetectorBackbone? backbone = null;
        SessionOptions? options = null;
        try
        {
            var network = Network(OnnxGraph.Read(file.Path, file.Manifest.Reading), file.Manifest);
            options = Backbone.Options(threads);
            backbone = new DetectorBackbone(file, Google.Protobuf.MessageExtensions.ToByteArray(network), options);
            backbone.Try();
            return backbone;
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or BackboneException or OnnxModelException)
        {
            (backbone ?? (IDisposable?)options)?.Dispose();
            throw new BackboneException($"The backbone '{file.Manifest.Id}' cannot be used by detectors: {exception.Message.TrimEnd('.')}.",
                exception);
        }
    }

    /// <summary>The maps of a normalised canvas.</summary>
    /// <param name="chw"><c>[3, height, width]</c>, see <see cref="Letterbox.Fill"/>.</param>
    /// <param name="width">A multiple of <see cref="Letterbox.Multiple"/>.</param>
    /// <param name="height">A multiple of <see cref="Letterbox.Multiple"/>.</param>
    internal StageMaps Read(Memory<float> chw, int width, int height)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, chw, [1, 3, height, width]);
        return new StageMaps(_session.Run(_run, _session.InputNames, [input], _session.OutputNames));
    }

    /// <summary>The network up to the maps, from its file.</summary>
    /// <exception cref="BackboneException">The file is missing or has changed.</exception>
    internal ModelProto ReadNetwork() => Network(_file.ReadAgain(), Manifest);

    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
        _options.Dispose();
    }

    private static ModelProto Network(OnnxGraph graph, BackboneManifest manifest)
    {
        if (manifest.Preprocessing.Version != Preprocessing.Latest)
        {
            throw new BackboneException("it is read as earlier releases read it");
        }

        var features = manifest.Classifier ? graph.FindFeatures() : graph.OutputFeatures();
        return graph.CutMapsOfAnySize(graph.DetectionStages(features) ?? throw new BackboneException(
            "it has no stages whose maps are an 8th, a 16th and a 32nd of the image; use a convolutional network such as MobileNetV2"));
    }

    /// <summary>Runs a test image, since declared shapes are only hints; sets Channels, throws if map sizes or values are wrong.</summary>
    private void Try()
    {
        const int Width = 3 * Letterbox.Multiple, Height = 2 * Letterbox.Multiple; // not square, and not the exported size
        using var maps = Read(new float[3 * Width * Height], Width, Height);
        Channels = [.. maps.Values.Select((map, i) => map.GetTensorTypeAndShape().Shape is [1, > 0 and var channels, var rows, var columns]
            && (rows, columns) == (Height / Strides[i], Width / Strides[i]) ? (int)channels
            : throw new BackboneException("its maps do not have the size of its strides"))];
        if (!maps.Values.All(map => map.GetTensorDataAsSpan<float>().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) < 0))
        {
            throw new BackboneException("its maps are not finite numbers");
        }
    }
}

/// <summary>The maps of one image, <c>[1, channels, h, w]</c> each, by stride.</summary>
internal sealed class StageMaps(IDisposableReadOnlyCollection<OrtValue> values) : IDisposable
{
    public IReadOnlyList<OrtValue> Values => values;

    /// <summary><c>[channels, h, w]</c></summary>
    public ReadOnlySpan<float> Map(int level) => values[level].GetTensorDataAsSpan<float>();

    public void Dispose() => values.Dispose();
}
