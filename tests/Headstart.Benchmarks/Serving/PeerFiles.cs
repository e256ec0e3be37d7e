using System.Runtime.InteropServices;
using System.Text.Json;
using Headstart.Learning.Heads;
using Headstart.Learning.Onnx;
using Npgsql;

namespace Headstart.Benchmarks.Serving;

/// <summary>The backbone's weights and the published head in a format that every language reads: shapes as JSON, values as consecutive
/// little-endian float32. So all servers give the same answers, and only speed is compared.</summary>
internal static class PeerFiles
{
    /// <summary>Writes <c>weights.json</c> and <c>weights.bin</c>, in the order of the graph: the weights of each convolution, then its
    /// bias.</summary>
    public static void WriteWeights(string onnx, string folder)
    {
        var graph = ModelProto.Parser.ParseFrom(File.ReadAllBytes(onnx)).Graph;
        var tensors = graph.Initializer.ToDictionary(tensor => tensor.Name);
        var used = graph.Node.Where(node => node.OpType == "Conv").SelectMany(node => node.Input.Skip(1)).Select(name => tensors[name])
            .ToList();
        Write(Path.Combine(folder, "weights"), [], [.. used.Select(tensor => tensor.Dims.ToArray())], used.Select(Values));
    }

    /// <summary>Writes <c>head.json</c> and <c>head.bin</c>: the weights of each layer, then its bias.</summary>
    public static void WriteHead(Head head, string folder)
    {
        DenseLayer[] layers = head.Hidden is null ? [head.Output] : [head.Hidden, head.Output];
        Write(Path.Combine(folder, "head"), head.Labels,
            [.. layers.SelectMany(layer => (long[][])[[layer.Outputs, layer.Inputs], [layer.Outputs]])],
            layers.SelectMany(layer => (float[][])[layer.Weights.ToArray(), layer.Bias.ToArray()]));
    }

    /// <summary>The head of a published model, from the host's own database and blobs.</summary>
    public static async Task<HeadArtifact> ReadHeadAsync(HostProcess host, string model)
    {
        await using var database = host.OpenDatabase();
        await using var command = database.CreateCommand(
            "SELECT artifact FROM model_versions v JOIN models m ON m.id = v.model_id AND m.published_version = v.number WHERE m.id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Guid.Parse(Path.GetFileName(model)) });
        var sha256 = (byte[])(await command.ExecuteScalarAsync())!;
        return HeadArtifact.Read(await new Blobs.FolderBlobStore(host.Blobs).GetAsync(sha256, CancellationToken.None));
    }

    private static float[] Values(TensorProto tensor) => tensor.RawData.Length > 0
        ? MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray()
        : [.. tensor.FloatData];

    private static void Write(string path, IReadOnlyList<string> labels, IReadOnlyList<long[]> shapes, IEnumerable<float[]> tensors)
    {
        File.WriteAllText(path + ".json", JsonSerializer.Serialize(new { labels, shapes }));
        using var values = File.Create(path + ".bin");
        foreach (var tensor in tensors)
        {
            values.Write(MemoryMarshal.AsBytes(tensor.AsSpan()));
        }
    }
}
