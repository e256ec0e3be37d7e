using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.BatchPredictions;

namespace Headstart.Tests.Uploads.Formats;

/// <summary>Uploads to detection models, and what then is there.</summary>
internal static class DetectionUploads
{
    /// <summary>
    /// The images as <c>side file: category x y width height, …</c>, in the order of these lines: the side where one was given, <c>!</c>
    /// behind difficult boxes, <c>nothing</c> where nothing is there and <c>?</c> where nobody has said.
    /// </summary>
    public static async Task<List<string>> RowsAsync(this HttpClient client, string model) =>
        [.. (await client.GetJsonAsync($"{model}/images?limit=200"))["items"]!.AsArray().Select(Row!).Order(StringComparer.Ordinal)];

    /// <summary>An image for each name, each another one; a text for each <c>name=content</c>.</summary>
    public static ByteArrayContent Zip(string[] files) => Zip([.. files.Select((file, i) => file.Split('=', 2) switch
    {
        [var name, var content] => (name, Encoding.UTF8.GetBytes(content.Replace("↵", "\n", StringComparison.Ordinal))),
        _ => (file, Pictures.Tiny(i)),
    })]);

    public static ByteArrayContent Zip((string Name, byte[] Bytes)[] files) => Batches.Archive(Batches.Zip(files));

    private static string Row(JsonNode image)
    {
        var boxes = image["boxes"]?.AsArray().Select(box => $"{box!["category"]} {Number(box, "x")} {Number(box, "y")}"
            + $" {Number(box, "width")} "
            + $"{Number(box, "height")}{((bool)box["difficult"]! ? "!" : "")}").ToList();
        return $"{((bool)image["splitGiven"]! ? $"{image["split"]} " : "")}{image["fileName"]}: "
            + (boxes is null ? "?" : boxes.Count == 0 ? "nothing" : string.Join(", ", boxes));
    }

    private static string Number(JsonNode box, string name) => ((double)box[name]!).ToString("0.####", CultureInfo.InvariantCulture);
}
