using System.Diagnostics;
using System.Runtime.InteropServices;
using Headstart.Learning.Imaging;
using Headstart.Learning.Native;
using Headstart.Learning.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Backbones;

/// <summary>One ONNX Runtime session that turns images into feature vectors. <see cref="Extract(ReadOnlyMemory{float}, int)"/> is
/// thread-safe; training and predictions share the session.</summary>
public sealed class Backbone : IDisposable
{
    private const int InnerStages = 2;
    private const int SmallestStride = 8;

    private readonly SessionOptions _options;
    private readonly InferenceSession _session;
    private readonly RunOptions _run;
    private readonly string _input;
    private readonly string _output;
    private readonly bool _oneByOne; // exported with a batch size of 1
    private readonly Lazy<BackboneMaps?> _maps;
    private readonly string _path;
    private readonly IReadOnlyList<FeatureTensor> _cuts;
    private readonly Backbone? _original; // the owner of a shared session; null if it has its own
    private readonly Lazy<Backbone> _earlier;
    private long _imagesSeen;

    private Backbone(BackboneFile file, byte[] network, IReadOnlyList<FeatureTensor> cuts, IReadOnlyList<FeatureSection> sections,
        SessionOptions options)
    {
        Manifest = file.Manifest;
        Sections = sections;
        (_path, _cuts) = (file.Path, cuts);
        FeatureSpace = SpaceOf(Manifest, sections);
        _earlier = new(() => new(this, Manifest.Preprocessing with { Version = 1 }));
        _options = options;
        _run = new RunOptions();
        _session = new InferenceSession(network, options);
        _input = _session.InputNames is [var input] ? input : "";
        _output = _session.OutputNames is [var output] ? output : "";
        _oneByOne = _input.Length > 0 && _session.InputMetadata[_input].Dimensions is [1, ..];
        _maps = new(() => BackboneMaps.Open(this, file.Path, cuts, options));
    }

    /// <summary>The same network with another preprocessing.</summary>
    private Backbone(Backbone original, Preprocessing preprocessing)
    {
        Manifest = original.Manifest with { Preprocessing = preprocessing };
        Sections = original.Sections;
        FeatureSpace = SpaceOf(Manifest, Sections);
        (_original, _session, _options, _run) = (original, original._session, original._options, original._run);
        (_input, _output, _oneByOne, _maps) = (original._input, original._output, original._oneByOne, original._maps);
        (_path, _cuts, MsPerImage) = (original._path, original._cuts, original.MsPerImage);
        _earlier = new(this);
    }

    public BackboneManifest Manifest { get; }

    /// <summary>The file it was opened from.</summary>
    public BackboneFile File => new(Manifest, _path);

    /// <summary>The same network for heads of earlier trainings, whose <see cref="Preprocessing.Version"/> was 1. It shares the session and
    /// must not be used after this one is disposed.</summary>
    public Backbone Earlier => _earlier.Value;

    /// <summary>Identifies the numbers that this backbone produces: features are interchangeable if and only if this is equal. Consists of
    /// the id, the first 12 digits of the file's SHA-256, how images enter and features leave the network, and the sections.</summary>
    public string FeatureSpace { get; }

    /// <summary>Parts of the feature vector: first the network's own features, then, if requested, the ends of inner stages.</summary>
    public IReadOnlyList<FeatureSection> Sections { get; }

    /// <summary>Sections that a recipe may read: all of them and, of an image-text pair, its own features in the form that is compared with
    /// words.</summary>
    public IEnumerable<FeatureSection> Readable => Manifest.Space is null ? Sections
        : Sections.Append(Sections[0] with { Name = FeatureSection.Words });

    /// <summary>Length of a whole feature vector: all sections together.</summary>
    public int Length => Sections[^1].Offset + Sections[^1].Length;

    /// <summary>The maps that the features are averages of; null if none is an average (ViT). Opened on first use by reading the file
    /// again: most backbones never need them, and a second session takes as much memory as the first.</summary>
    public BackboneMaps? Maps => _maps.Value;

    /// <summary>Milliseconds for one image alone on this host, without decoding; 0 until <see cref="Measure"/> was called.</summary>
    public double MsPerImage { get; private set; }

    /// <summary>Images that have passed through the network since it was opened, including warm-up and measurements: shows what caches
    /// save.</summary>
    public long ImagesSeen => _original?.ImagesSeen ?? Interlocked.Read(ref _imagesSeen);

    /// <summary>Loads the network and runs it once to check that it matches its manifest.</summary>
    /// <param name="file">The network.</param>
    /// <param name="threads">Threads that share one call of <see cref="Extract(ReadOnlyMemory{float}, int)"/>. 1 gives the highest
    /// throughput with as many callers as cores; more shorten a single call.</param>
    /// <param name="stages">Also give the averages of the two deepest inner stages, at almost no extra cost: for images unlike those that
    /// the network was trained on, an inner stage may be better than the end. Ignored if the network has none.</param>
    /// <exception cref="BackboneException">The file cannot be loaded, or its input or features are not as declared.</exception>
    public static Backbone Open(BackboneFile file, int threads, bool stages = false)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        try
        {
            var graph = OnnxGraph.Read(file.Path, file.Manifest.Reading);
            var features = file.Manifest.Classifier ? graph.FindFeatures() : graph.OutputFeatures();
            FeatureTensor[] inner = [.. graph.IntermediateCuts()
                .Where(cut => stages && cut is { Stride: >= SmallestStride, Length: not null }).TakeLast(InnerStages)];
            return inner.Length > 0 && TryOpen(file, graph, [features, .. inner], threads) is { } withStages
                ? withStages : Open(file, graph, [features], threads);
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or BackboneException or OnnxModelException)
        {
            throw new BackboneException($"The backbone '{file.Manifest.Id}' cannot be used: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <summary>null if a stage does not match the graph: the backbone may still work without stages.</summary>
    private static Backbone? TryOpen(BackboneFile file, OnnxGraph graph, IReadOnlyList<FeatureTensor> cuts, int threads)
    {
        try
        {
            return Open(file, graph, cuts, threads);
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or BackboneException or OnnxModelException)
        {
            return null;
        }
    }

    private static Backbone Open(BackboneFile file, OnnxGraph graph, IReadOnlyList<FeatureTensor> cuts, int threads)
    {
        var sections = new List<FeatureSection> { new("", 0, file.Manifest.Features) };
        foreach (var cut in cuts.Skip(1))
        {
            sections.Add(new FeatureSection($"stride{cut.Stride}", sections[^1].Offset + sections[^1].Length, cut.Length!.Value));
        }

        var options = Options(threads);
        Backbone? backbone = null;
        try
        {
            backbone = new Backbone(file, graph.Cut(cuts), cuts, sections, options);
            backbone.WarmUp();
            return backbone;
        }
        catch
        {
            (backbone ?? (IDisposable)options).Dispose();
            throw;
        }
    }

    /// <summary>The backbone for a head that was trained with this <see cref="BackboneManifest.InputId"/>; null if it matches neither this
    /// nor <see cref="Earlier"/>.</summary>
    public Backbone? Behind(string inputId) => Manifest.InputId == inputId ? this
        : Earlier.Manifest.InputId == inputId ? Earlier : null;

    /// <summary>Feature vectors of preprocessed images.</summary>
    /// <param name="batchChw"><c>[count, 3, S, S]</c>, see <see cref="Imaging.ImageReader.Preprocess"/>.</param>
    /// <param name="count">Number of images, at least 1.</param>
    /// <returns><c>[count][Length]</c></returns>
    public float[][] Extract(ReadOnlyMemory<float> batchChw, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        var p = Manifest.Preprocessing;
        if (batchChw.Length != (long)count * p.Length)
        {
            throw new ArgumentException($"{count} images need {(long)count * p.Length} values, not {batchChw.Length}.", nameof(batchChw));
        }

        if (count > 1 && _oneByOne)
        {
            return [.. Enumerable.Range(0, count).Select(i => Run(batchChw.Slice(i * p.Length, p.Length), 1)[0])];
        }

        return Run(batchChw, count);
    }

    /// <summary>The feature vector of one decoded image.</summary>
    /// <returns><c>[Length]</c></returns>
    public float[] Extract(CentreSquare square)
    {
        ArgumentNullException.ThrowIfNull(square);
        using var input = ModelInput.Of(square, Manifest.Preprocessing);
        return Extract(input.Chw, 1)[0];
    }

    /// <summary>The network that gives these features, from its file.</summary>
    /// <exception cref="BackboneException">The file is gone or has changed.</exception>
    internal ModelProto ReadNetwork() => ModelProto.Parser.ParseFrom(File.ReadAgain().Cut(_cuts));

    /// <summary>Measures <see cref="MsPerImage"/>: the median of a few passes with one image.</summary>
    public void Measure()
    {
        var image = new float[Manifest.Preprocessing.Length];
        var times = new double[9];
        for (var i = 0; i < times.Length; i++)
        {
            var start = Stopwatch.GetTimestamp();
            Extract(image, 1);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Array.Sort(times);
        MsPerImage = times[times.Length / 2];
    }

    public void Dispose()
    {
        if (_original is not null)
        {
            return;
        }

        if (_maps.IsValueCreated)
        {
            _maps.Value?.Dispose();
        }

        _session.Dispose();
        _run.Dispose();
        _options.Dispose();
    }

    private static string SpaceOf(BackboneManifest manifest, IEnumerable<FeatureSection> sections) => string.Join('-', sections
        .Select(section => section.Name).Prepend($"{manifest.Id}-{manifest.Sha256[..12]}-{manifest.InputId}")
        .Where(name => name.Length > 0));

    /// <summary>Options for a session on the device of backbones.</summary>
    internal static SessionOptions Options(int threads)
    {
        var options = OnnxRuntime.Options(threads);
        OnnxRuntime.AddDevice(options);
        return options;
    }

    private void WarmUp()
    {
        if (_input.Length == 0 || _output.Length == 0)
        {
            throw new BackboneException("it must have exactly one input and one output");
        }

        var shape = _session.InputMetadata[_input].Dimensions;
        var size = Manifest.Preprocessing.Size;
        if (shape.Length != 4 || shape[1] is not (3 or < 0) || !shape[2..].All(side => side == size || side < 0))
        {
            throw new BackboneException($"its input has shape [{string.Join(", ", shape)}], but [-1, 3, {size}, {size}] is required");
        }

        if (!Extract(TestImage(), 1)[0].All(float.IsFinite))
        {
            throw new BackboneException("its features are not finite numbers");
        }
    }

    /// <summary>A preprocessed test image <c>[3, S, S]</c> with varying values.</summary>
    internal float[] TestImage()
    {
        var image = new float[Manifest.Preprocessing.Length];
        for (var i = 0; i < image.Length; i++)
        {
            image[i] = i % 255 / 127f - 1;
        }

        return image;
    }

    private float[][] Run(ReadOnlyMemory<float> batchChw, int count)
    {
        Interlocked.Add(ref (_original ?? this)._imagesSeen, count);
        var size = Manifest.Preprocessing.Size;
        // ONNX Runtime only reads its inputs, so removing the read-only view is safe and avoids a copy.
        var memory = MemoryMarshal.AsMemory(batchChw);
        using var input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, memory, [count, 3, size, size]);
        using var outputs = _session.Run(_run, [_input], [input], [_output]);
        var features = outputs[0].GetTensorDataAsSpan<float>();
        return features.Length == (long)count * Length
            ? Rows(features, count)
            : throw new BackboneException($"it returns {features.Length / count} features per image, but its manifest says {Length}");
    }

    private float[][] Rows(ReadOnlySpan<float> features, int count)
    {
        var rows = new float[count][];
        for (var i = 0; i < count; i++)
        {
            rows[i] = features.Slice(i * Length, Length).ToArray();
        }

        return rows;
    }
}
