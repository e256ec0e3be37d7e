using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
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

    /// <summary>The oldest set with all operators used here; supported by ONNX Runtime since 1.14.</summary>
    private const long Opset = 18;

    private const long IrVersion = 8; // the version of that time

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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

        try
        {
            var model = Assemble(recipe, head, known);
            foreach (var (key, value) in Metadata(recipe, head, known).Concat(about))
            {
                model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
            }

            var file = model.ToByteArray();
            ExportCheck.Run(file, recipe, head);
            return file;
        }
        catch (Exception exception) when (exception is OnnxModelException or OutOfMemoryException)
        {
            throw new ModelExportException($"{recipe.Id} cannot be exported: {exception.Message}", exception);
        }
    }

    private static ModelProto Assemble(FeatureRecipe recipe, Head head, NoveltyDetector known)
    {
        var networks = recipe.Backbones.Select(backbone => backbone.ReadNetwork()).ToList();
        var opset = Math.Max(Opset, networks.Max(OpsetUpgrade.VersionOf));
        var graph = new GraphProto { Name = "headstart", Input = { GraphBuilder.Value(Image, GraphBuilder.UInt8, -1, -1, 3) } };
        var images = new ImageGraph(new GraphBuilder(graph, "image/"), Image);
        var vectors = networks.Select((network, i) =>
        {
            Require(network.Functions.Count == 0, "a network with functions of its own cannot be joined with others; export it without");
            OpsetUpgrade.Apply(network, opset);
            var input = images.Input(recipe.Backbones[i].Manifest.Preprocessing);
            return BackboneGraph.Append(graph, network, $"backbone{i}/", input);
        }).ToList();

        var b = new GraphBuilder(graph, "head/");
        var features = HeadGraph.Features(b, recipe, vectors);
        var nearness = HeadGraph.Nearness(b, known, features);
        b.Output(HeadGraph.Probabilities(b, head, features), Probabilities, GraphBuilder.Float32, head.Labels.Count);
        b.Output(nearness, Nearness, GraphBuilder.Float32);
        b.Output(HeadGraph.Unknown(b, known, nearness), Unknown, GraphBuilder.Bool);
        return new ModelProto
        {
            IrVersion = Math.Max(IrVersion, networks.Max(network => network.IrVersion)),
            ProducerName = "Headstart",
            Graph = graph,
            OpsetImport = { OperatorSets(networks, opset) },
        };
    }

    private static IEnumerable<OperatorSetIdProto> OperatorSets(IReadOnlyList<ModelProto> networks, long opset)
    {
        var others = networks.SelectMany(network => network.OpsetImport).Where(set => !OpsetUpgrade.IsOnnx(set.Domain)).Distinct()
            .GroupBy(set => set.Domain).ToList();
        Require(others.All(sets => sets.Count() == 1), "the networks use different versions of the same further operators");
        return others.Select(sets => sets.First()).Prepend(new OperatorSetIdProto { Domain = "", Version = opset });
    }

    private static IEnumerable<KeyValuePair<string, string>> Metadata(FeatureRecipe recipe, Head head, NoveltyDetector known)
    {
        yield return new("labels", JsonSerializer.Serialize(head.Labels, Readable));
        if (head.Thresholds is { } thresholds)
        {
            yield return new("thresholds", JsonSerializer.Serialize(thresholds));
        }

        yield return new("unknownBelow", JsonSerializer.Serialize(known.Threshold));
        yield return new("backbones", JsonSerializer.Serialize(recipe.Backbones.Select(backbone => new
        {
            id = backbone.Manifest.Id,
            sha256 = backbone.Manifest.Sha256,
            preprocessing = backbone.Manifest.InputId,
            licence = backbone.Manifest.Licence,
            source = backbone.Manifest.Source,
        }), Readable));
        yield return new("features", recipe.Id);
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new OnnxModelException($"{otherwise}.");
        }
    }
}

/// <summary>A model that cannot be exported; the message is a sentence that says why.</summary>
public sealed class ModelExportException(string message, Exception? inner = null) : Exception(message, inner);
