using System.Security.Cryptography;
using Google.Protobuf;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Learning.Tests.Onnx;

namespace Headstart.Learning.Tests.Words;

/// <summary>
/// A small image-text pair: the vector of an image is how red, green and blue it is, and that of a text which of these words are in it.
/// </summary>
internal static class ColourPair
{
    public const string Images = "colours";
    public const string Texts = "colour-words";

    private const int Pieces = 512; // before those of pairs: each byte, twice
    private static readonly string[] Pairs =
        ["e d</w>", "r ed</w>", "g r", "gr e", "gre e", "gree n</w>", "b l", "bl u", "blu e</w>"];

    private static readonly string[] Colours = ["r ed</w>", "gree n</w>", "blu e</w>"];

    /// <summary>Puts both halves into a folder of backbones.</summary>
    /// <param name="folder">Is there.</param>
    /// <param name="space">Of the text half.</param>
    /// <param name="both">Whether the file of the text half has the image half in it, too.</param>
    public static void WriteTo(string folder, string space = "colour", bool both = false)
    {
        var network = new TinyNetwork();
        var bytes = network.Bytes(network.Flatten(network.Pool(network.Relu("image"))), -1, 3);
        File.WriteAllBytes(Path.Combine(folder, $"{Images}.onnx"), bytes);
        File.WriteAllBytes(Path.Combine(folder, $"{Images}.json"), new BackboneManifest
        {
            Id = Images,
            Features = 3,
            Preprocessing = new Preprocessing(TinyNetwork.Side, [0, 0, 0], [1, 1, 1]),
            Source = "made for a test",
            Licence = "MIT",
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
            Space = "colour",
        }.ToJson());

        WriteTexts(folder, $$"""{"output":"text_embeds","pooling":"none","maxTokens":77,"space":"{{space}}","scale":20}""", both);
    }

    /// <summary>Puts the text half alone into a folder of backbones.</summary>
    /// <param name="folder">Is there.</param>
    /// <param name="description">The content of <c>model.json</c>; without a space it is a sentence network as others are.</param>
    /// <param name="both">As above.</param>
    public static void WriteTexts(string folder, string description, bool both = false)
    {
        var texts = Directory.CreateDirectory(Path.Combine(folder, "text", Texts)).FullName;
        File.WriteAllLines(Path.Combine(texts, "merges.txt"), ["#version: 0.2", .. Pairs]);
        File.WriteAllText(Path.Combine(texts, "model.json"), description);
        File.WriteAllBytes(Path.Combine(texts, "model.onnx"), TextHalf(both));
    }

    /// <summary>A plain picture, lossless.</summary>
    public static byte[] Picture(byte red, byte green, byte blue, int side = 32) => ImageReader.Png(
        Enumerable.Range(0, side * side).SelectMany(_ => (byte[])[red, green, blue]).ToArray(), side, side);

    private static byte[] TextHalf(bool both)
    {
        var network = new TinyNetwork();
        var ids = TinyNetwork.Value("input_ids", -1, -1);
        ids.Type.TensorType.ElemType = 7;
        ids.Type.TensorType.Shape.Dim[1].DimParam = "tokens";
        network.Model.Graph.Input.Add(ids);
        if (both)
        {
            network.Op("Flatten", [network.Pool("image")]);
            network.Model.Graph.Node[^1].Output[0] = "image_embeds";
            network.Model.Graph.Output.Add(TinyNetwork.Value("image_embeds", -1, 3));
        }
        else
        {
            network.Model.Graph.Input.RemoveAt(0);
        }

        var table = network.Weight(Pieces + Pairs.Length + 2, 3); // and what begins and ends a text
        var values = network.Model.Graph.Initializer[^1].FloatData;
        for (var i = 0; i < values.Count; i++)
        {
            var token = i / 3 - Pieces;
            values[i] = token >= 0 && token < Pairs.Length && Array.IndexOf(Colours, Pairs[token]) == i % 3 ? 1 : 0;
        }

        network.Op("ReduceSum", [network.Op("Gather", [table, "input_ids"]), network.Integers(1)], ("keepdims", 0L));
        network.Model.Graph.Node[^1].Output[0] = "text_embeds";
        network.Model.Graph.Output.Add(TinyNetwork.Value("text_embeds", -1, 3));
        return network.Model.ToByteArray();
    }
}
