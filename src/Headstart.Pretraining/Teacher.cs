using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Pretraining;

/// <summary>
/// A pretrained backbone that gives features for every place of an image: its last feature map, standardised and rotated to its principal
/// components. The components are divided by the fourth root of their variance: halfway between the plain ones, where only a few strong
/// directions matter, and whitened ones, where noise matters as much as everything else.
/// </summary>
public sealed class Teacher : IDisposable
{
    private const double Least = 0.1; // least deviation, as a share of the mean one: nearly constant channels are not amplified more

    private readonly Backbone _map;
    private readonly int _cells; // side of the feature map
    private Tensor? _rotation; // [features, components]

    private Teacher(Backbone map, BackboneManifest manifest, int cells, IReadOnlyList<StudentStep> steps)
    {
        _map = map;
        Manifest = manifest;
        _cells = cells;
        Steps = steps;
    }

    public BackboneManifest Manifest { get; }

    /// <summary>The steps of the network, up to its feature map.</summary>
    public IReadOnlyList<StudentStep> Steps { get; }

    /// <summary>Share of the variance of its feature map that the components keep, 0..1.</summary>
    public double Kept { get; private set; }

    /// <param name="file">The pretrained network.</param>
    /// <param name="folder">Folder to write the network cut at its feature map to.</param>
    /// <exception cref="BackboneException">The network has no feature map that is averaged to its features, or is not made of convolutions
    /// only.</exception>
    public static Teacher Open(BackboneFile file, string folder)
    {
        var graph = OnnxGraph.Read(file.Path);
        var map = graph.FindFeatureMap(graph.FindFeatures()) is { Stride: not null } found ? found
            : throw new BackboneException($"{file.Manifest.Id} has no feature map to learn from");
        var path = Path.Combine(folder, $"{file.Manifest.Id}-map.onnx");
        var cut = graph.Cut(map);
        File.WriteAllBytes(path, cut);
        var cells = (file.Manifest.Preprocessing.Size + map.Stride!.Value - 1) / map.Stride.Value;
        var manifest = file.Manifest with { Features = file.Manifest.Features * cells * cells, Classifier = false };
        return new Teacher(Backbone.Open(new BackboneFile(manifest, path), threads: 1), file.Manifest, cells, StudentPlan.Read(cut));
    }

    /// <summary>The raw feature map <c>[features * cells * cells]</c> of a preprocessed image.</summary>
    public float[] Extract(float[] input) => _map.Extract(input, 1)[0];

    /// <summary>Finds the principal components of these feature maps.</summary>
    public void Fit(IReadOnlyList<float[]> maps, int components)
    {
        using var scope = NewDisposeScope();
        var map = Map(maps, _cells);
        var rows = map.flatten(0, 2);
        var mean = rows.mean([0]);
        var std = rows.std(0);
        std = std.clamp_min(Least * std.mean().item<float>());
        var standard = (rows - mean) / std;
        var covariance = standard.t().mm(standard) / rows.shape[0];
        var (values, vectors) = linalg.eigh(covariance.to(float64));
        var strongest = TensorIndex.Slice(Manifest.Features - components);
        var kept = values[strongest].clamp_min(1e-9);
        Kept = (kept.sum() / values.sum()).item<double>();
        // Gives each component the variance sqrt(value), then scales all by one factor to a mean variance of 1.
        var scale = kept.pow(-0.25) / kept.sqrt().mean().sqrt();
        _rotation = ((vectors[TensorIndex.Colon, strongest] * scale).to(float32) / std.unsqueeze(1)).DetachFromDisposeScope();
    }

    /// <summary>The feature maps, averaged to the places of the student's map: <c>[n, places, places, features]</c>.</summary>
    public Tensor Map(IReadOnlyList<float[]> maps, long places)
    {
        using var scope = NewDisposeScope();
        var all = stack(maps.Select(map => tensor(map))).view(maps.Count, Manifest.Features, _cells, _cells);
        return nn.functional.adaptive_avg_pool2d(all, [places, places]).permute(0, 2, 3, 1).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Turns differences of features <c>[..., features]</c> into differences of components <c>[..., components]</c>.</summary>
    public Tensor Components(Tensor features) => features.matmul(_rotation!);

    public void Dispose()
    {
        _map.Dispose();
        _rotation?.Dispose();
    }
}
