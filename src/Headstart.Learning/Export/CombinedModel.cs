using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using Headstart.Learning.Backbones;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Export;

/// <summary>What all exported models have in common: networks of one operator set in one graph, and metadata about them.</summary>
internal static class CombinedModel
{
    /// <summary>The oldest set with all operators used here; supported by ONNX Runtime since 1.14.</summary>
    private const long Opset = 18;

    private const long IrVersion = 8; // the version of that time

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Builds a model and checks it.</summary>
    /// <param name="id">Name of what is exported, for refusals.</param>
    /// <param name="assemble">Makes the model.</param>
    /// <param name="metadata">About the model.</param>
    /// <param name="check">Throws if the file does not work.</param>
    /// <returns>The ONNX file.</returns>
    /// <exception cref="ModelExportException">The networks cannot be put into one model.</exception>
    public static byte[] Build(string id, Func<ModelProto> assemble, IEnumerable<KeyValuePair<string, string>> metadata,
        Action<byte[]> check)
    {
        try
        {
            var model = assemble();
            model.MetadataProps.Add(metadata.Select(entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value }));
            var file = model.ToByteArray();
            check(file);
            return file;
        }
        catch (Exception exception) when (exception is OnnxModelException or OutOfMemoryException)
        {
            throw new ModelExportException($"{id} cannot be exported: {exception.Message}", exception);
        }
    }

    /// <summary>Raises networks to one operator set.</summary>
    /// <returns>Its version.</returns>
    /// <exception cref="OnnxModelException">That changes what one of them computes.</exception>
    public static long Level(IReadOnlyList<ModelProto> networks)
    {
        Require(networks.All(network => network.Functions.Count == 0),
            "a network with functions of its own cannot be joined with others; export it without");
        var opset = Math.Max(Opset, networks.Max(OpsetUpgrade.VersionOf));
        foreach (var network in networks)
        {
            OpsetUpgrade.Apply(network, opset);
        }

        return opset;
    }

    /// <summary>The model of a graph that contains these networks.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="networks">The networks.</param>
    /// <param name="opset">Version of their operator set.</param>
    /// <exception cref="OnnxModelException">They need different versions of other operators.</exception>
    public static ModelProto Of(GraphProto graph, IReadOnlyList<ModelProto> networks, long opset)
    {
        var others = networks.SelectMany(network => network.OpsetImport).Where(set => !OpsetUpgrade.IsOnnx(set.Domain)).Distinct()
            .GroupBy(set => set.Domain).ToList();
        Require(others.All(sets => sets.Count() == 1), "the networks use different versions of the same further operators");
        return new ModelProto
        {
            IrVersion = Math.Max(IrVersion, networks.Max(network => network.IrVersion)),
            ProducerName = "Headstart",
            Graph = graph,
            OpsetImport = { others.Select(sets => sets.First()).Prepend(new OperatorSetIdProto { Domain = "", Version = opset }) },
        };
    }

    /// <summary>A value of the metadata.</summary>
    public static string Json<T>(T value) => JsonSerializer.Serialize(value, Readable);

    /// <summary>Backbones as a value of the metadata.</summary>
    public static string Json(IEnumerable<BackboneManifest> backbones) => Json(backbones.Select(backbone => new
    {
        id = backbone.Id,
        sha256 = backbone.Sha256,
        preprocessing = backbone.InputId,
        licence = backbone.Licence,
        source = backbone.Source,
    }).ToArray());

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
