using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Headstart.Learning.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Backbones;

/// <summary>The output of a network for each place of an image, before it is averaged to the features of a section.</summary>
/// <param name="Channels">The number of the section's features.</param>
/// <param name="Cells">Places along each side of the square that the network sees.</param>
/// <param name="Values"><c>[Channels, Cells, Cells]</c>; the mean of a channel is the feature.</param>
public sealed record FeatureMap(int Channels, int Cells, float[] Values)
{
    /// <summary>The values of one channel, <c>[Cells, Cells]</c>.</summary>
    public ReadOnlySpan<float> Channel(int channel) => Values.AsSpan(channel * Cells * Cells, Cells * Cells);
}

/// <summary>A second ONNX Runtime session of a backbone, which ends in the feature maps that its features are averages of.
/// <see cref="Extract"/> is thread-safe. Belongs to its backbone, which disposes of it.</summary>
public sealed class BackboneMaps : IDisposable
{
    /// <summary>Allowed deviation of a map's average from the feature, as a share of the section's largest feature: float16 networks
    /// average coarsely.</summary>
    private const float Tolerance = 0.01f;

    private readonly Backbone _backbone;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly IReadOnlyList<FeatureSection> _sections; // one for each output of the session

    private BackboneMaps(Backbone backbone, IReadOnlyList<FeatureSection> sections, byte[] network, SessionOptions options)
    {
        _backbone = backbone;
        _sections = sections;
        _session = new InferenceSession(network, options);
    }

    /// <summary>The sections that have a map.</summary>
    public IReadOnlyList<FeatureSection> Sections { get; private set; } = [];

    /// <summary>Cuts the network at the maps of all sections and tests it. The graph only suggests where a section's map is; a tensor
    /// counts only if its average equals the features.</summary>
    /// <param name="backbone">The backbone whose features are averages.</param>
    /// <param name="path">The network; if it is gone by now, there are no maps.</param>
    /// <param name="cuts">Where each of the backbone's sections was cut.</param>
    /// <param name="options">Options of the session; the caller keeps them.</param>
    /// <returns>null if no section has a map.</returns>
    internal static BackboneMaps? Open(Backbone backbone, string path, IReadOnlyList<FeatureTensor> cuts, SessionOptions options)
    {
        BackboneMaps? maps = null;
        try
        {
            var graph = OnnxGraph.Read(path, backbone.Manifest.Reading);
            var found = backbone.Sections.Zip(cuts, (section, cut) => (Section: section, Map: graph.FindFeatureMap(cut)))
                .Where(pair => pair.Map is not null).ToList();
            if (found.Count == 0)
            {
                return null;
            }

            maps = new(backbone, [.. found.Select(pair => pair.Section)], graph.CutMaps([.. found.Select(pair => pair.Map!)]), options);
            maps.Sections = maps.Averaging();
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or OnnxModelException)
        {
            // The features still work; only their places cannot be shown.
        }

        if (maps is { Sections: [] })
        {
            maps.Dispose();
            return null;
        }

        return maps;
    }

    /// <summary>The maps of a preprocessed image <c>[3, S, S]</c>, for each of <see cref="Sections"/>.</summary>
    public IReadOnlyDictionary<FeatureSection, FeatureMap> Extract(ReadOnlyMemory<float> chw) =>
        All(chw).Where(pair => Sections.Contains(pair.Key)).ToDictionary();

    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
    }

    private List<FeatureSection> Averaging()
    {
        var image = _backbone.TestImage();
        var features = _backbone.Extract(image, 1)[0];
        return [.. All(image).Where(pair => IsAverage(features.AsSpan(pair.Key.Offset, pair.Key.Length), pair.Value))
            .Select(pair => pair.Key)];
    }

    private static bool IsAverage(ReadOnlySpan<float> features, FeatureMap map)
    {
        var tolerance = Tolerance * Math.Abs(TensorPrimitives.MaxMagnitude(features));
        for (var channel = 0; channel < features.Length; channel++)
        {
            if (!(Math.Abs(TensorPrimitives.Sum(map.Channel(channel)) / (map.Cells * map.Cells) - features[channel]) <= tolerance))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The outputs that have the shape of their section's map.</summary>
    private List<KeyValuePair<FeatureSection, FeatureMap>> All(ReadOnlyMemory<float> chw)
    {
        var size = _backbone.Manifest.Preprocessing.Size;
        // ONNX Runtime only reads its inputs, so removing the read-only view is safe and avoids a copy.
        using var input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, MemoryMarshal.AsMemory(chw),
            [1, 3, size, size]);
        using var outputs = _session.Run(_run, _session.InputNames, [input], _session.OutputNames);
        var maps = new List<KeyValuePair<FeatureSection, FeatureMap>>();
        for (var i = 0; i < _sections.Count; i++)
        {
            if (outputs[i].GetTensorTypeAndShape().Shape is [1, var channels, var rows, var columns] && channels == _sections[i].Length
                && rows == columns)
            {
                maps.Add(new(_sections[i], new((int)channels, (int)rows, outputs[i].GetTensorDataAsSpan<float>().ToArray())));
            }
        }

        return maps;
    }
}
