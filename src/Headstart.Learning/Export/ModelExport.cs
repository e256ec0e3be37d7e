using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Export;

/// <summary>
/// Everything from pixels to an answer as one ONNX model: <c>image</c>, uint8 <c>[height, width, 3]</c> in RGB order, upright and of any
/// size, becomes <c>probabilities</c>, float32 <c>[k]</c>, in the order of the labels; <c>nearness</c>, float32, the cosine to the nearest
/// category's mean direction; and <c>unknown</c>, bool, whether that is below the threshold. Includes resizing, cropping, backbones,
/// features and head.
/// </summary>
public static class ModelExport
{
    public const string Image = "image";
    public const string Probabilities = "probabilities";
    public const string Nearness = "nearness";
    public const string Unknown = "unknown";

    /// <summary>Builds the model and checks that it gives the answers of <paramref name="recipe"/> and <paramref name="head"/>.</summary>
    /// <param name="recipe">The backbones; their files are read again.</param>
    /// <param name="head">A head that reads the recipe's features.</param>
    /// <param name="known">The novelty detector for the same features.</param>
    /// <param name="about">Further entries for the model's metadata.</param>
    /// <returns>The ONNX file.</returns>
    /// <exception cref="ModelExportException">The networks cannot be put into one model.</exception>
    /// <exception cref="BackboneException">The file of a backbone is gone or has changed.</exception>
    public static byte[] Build(FeatureRecipe recipe, Head head, NoveltyDetector known, IReadOnlyDictionary<string, string> about)
    {
        if (recipe.Backbones.Any(backbone => backbone.Manifest.Preprocessing.Version != Preprocessing.Latest))
        {
            throw new ModelExportException("The model was trained by an earlier Headstart, which scaled images differently. "
                + "It still predicts as before but cannot be exported: train it again, then export the new version.");
        }

        return CombinedModel.Build(recipe.Id, () => Assemble(recipe, head, known), Metadata(recipe, head, known).Concat(about),
            file => ExportCheck.Run(file, recipe, head));
    }

    private static ModelProto Assemble(FeatureRecipe recipe, Head head, NoveltyDetector known)
    {
        var networks = recipe.Backbones.Select(backbone => backbone.ReadNetwork()).ToList();
        var opset = CombinedModel.Level(networks);
        var graph = new GraphProto { Name = "headstart", Input = { GraphBuilder.Value(Image, GraphBuilder.UInt8, -1, -1, 3) } };
        var images = new ImageGraph(new GraphBuilder(graph, "image/"), Image);
        var vectors = networks.Select((network, i) =>
        {
            var input = images.Input(recipe.Backbones[i].Manifest.Preprocessing);
            return BackboneGraph.Append(graph, network, $"backbone{i}/", input);
        }).ToList();

        var b = new GraphBuilder(graph, "head/");
        var features = HeadGraph.Features(b, recipe, vectors);
        var nearness = HeadGraph.Nearness(b, known, features);
        b.Output(HeadGraph.Probabilities(b, head, features), Probabilities, GraphBuilder.Float32, head.Labels.Count);
        b.Output(nearness, Nearness, GraphBuilder.Float32);
        b.Output(HeadGraph.Unknown(b, known, nearness), Unknown, GraphBuilder.Bool);
        return CombinedModel.Of(graph, networks, opset);
    }

    private static IEnumerable<KeyValuePair<string, string>> Metadata(FeatureRecipe recipe, Head head, NoveltyDetector known)
    {
        yield return new("labels", CombinedModel.Json(head.Labels));
        if (head.Thresholds is { } thresholds)
        {
            yield return new("thresholds", CombinedModel.Json(thresholds));
        }

        yield return new("unknownBelow", CombinedModel.Json(known.Threshold));
        yield return new("backbones", CombinedModel.Json(recipe.Backbones.Select(backbone => backbone.Manifest)));
        yield return new("features", recipe.Id);
    }
}
