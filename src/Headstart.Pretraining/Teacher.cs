using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;
using static TorchSharp.torch;

namespace Headstart.Pretraining;

/// <summary>
/// A pretrained backbone that says what it sees at every place of an image: its last feature map, standardised and rotated to its principal
/// components. The components are scaled by the fourth root of their variance: halfway between the plain ones, where a few strong directions
/// are all that matters, and whitened ones, where noise matters as much as everything else.
/// </summary>
public sealed class Teacher : IDisposable
{
    private readonly Backbone _map;
    private readonly int _cells; // side of the feature map
    private Tensor? _rotation; // [features, components]
    private Tensor? _offset; // [components]

    private Teacher(Backbone map, BackboneManifest manifest, int cells)
    {
        _map = map;
        Manifest = manifest;
        _cells = cells;
    }

    public BackboneManifest Manifest { get; }

    /// <summary>Side of the images it wants.</summary>
    public int Size => Manifest.Preprocessing.Size;

    /// <summary>Share of the variance of its feature map that the components keep, 0..1.</summary>
    public double Kept { get; private set; }

    /// <param name="file">The pretrained network.</param>
    /// <param name="folder">For the network cut at its feature map.</param>
    /// <exception cref="BackboneException">The network has no feature map that is averaged to its features.</exception>
    public static Teacher Open(BackboneFile file, string folder)
    {
        ArgumentNullException.ThrowIfNull(file);
        var graph = OnnxGraph.Read(file.Path);
        var map = graph.FindFeatureMap() ?? throw new BackboneException($"{file.Manifest.Id} has no feature map to learn from");
        var path = Path.Combine(folder, $"{file.Manifest.Id}-map.onnx");
        File.WriteAllBytes(path, graph.Cut(map));
        var cells = (file.Manifest.Preprocessing.Size + map.Stride!.Value - 1) / map.Stride.Value;
        var manifest = file.Manifest with { Features = file.Manifest.Features * cells * cells, Classifier = false };
        return new Teacher(Backbone.Open(new BackboneFile(manifest, path), threads: 1), file.Manifest, cells);
    }

    /// <summary>The raw feature map <c>[features * cells * cells]</c> of an image of <see cref="Size"/>, three bytes a pixel.</summary>
    public float[] Look(byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        var input = new float[Manifest.Preprocessing.Length];
        ImageReader.Normalise(pixels, Manifest.Preprocessing, input);
        return _map.Extract(input, 1)[0];
    }

    /// <summary>Finds the principal components of these feature maps.</summary>
    public void Fit(IReadOnlyList<float[]> maps, int components)
    {
        using var scope = NewDisposeScope();
        var rows = Rows(maps);
        var mean = rows.mean([0]);
        var std = rows.std(0).clamp_min(1e-6);
        var standard = (rows - mean) / std;
        var covariance = standard.t().mm(standard) / rows.shape[0];
        var (values, vectors) = linalg.eigh(covariance.to(float64));
        var strongest = TensorIndex.Slice(Manifest.Features - components);
        var kept = values[strongest].clamp_min(1e-9);
        Kept = (kept.sum() / values.sum()).item<double>();
        // Components of variance sqrt(value), then all of them by one factor to a mean variance of 1.
        var scale = kept.pow(-0.25) / kept.sqrt().mean().sqrt();
        _rotation = ((vectors[TensorIndex.Colon, strongest] * scale).to(float32) / std.unsqueeze(1)).MoveToOuterDisposeScope().DetachFromDisposeScope();
        _offset = mean.unsqueeze(0).mm(_rotation).squeeze(0).DetachFromDisposeScope();
    }

    /// <summary>The principal components of some feature maps: <c>[n, places, places, components]</c>.</summary>
    public Tensor Components(IReadOnlyList<float[]> maps)
    {
        ArgumentNullException.ThrowIfNull(maps);
        using var scope = NewDisposeScope();
        return (Rows(maps).mm(_rotation!) - _offset!).view(maps.Count, Lessons.Places, Lessons.Places, -1).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _map.Dispose();
        _rotation?.Dispose();
        _offset?.Dispose();
    }

    /// <summary>Averaged to as many places as the student has: <c>[n * places * places, features]</c>.</summary>
    private Tensor Rows(IReadOnlyList<float[]> maps)
    {
        using var all = stack(maps.Select(map => tensor(map))).view(maps.Count, Manifest.Features, _cells, _cells);
        using var places = nn.functional.adaptive_avg_pool2d(all, [Lessons.Places, Lessons.Places]);
        return places.flatten(2).transpose(1, 2).reshape(-1, Manifest.Features);
    }
}
