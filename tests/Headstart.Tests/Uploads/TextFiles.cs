using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Headstart.Tests.Uploads;

/// <summary>Real sentences, and models that take them.</summary>
internal static class TextFiles
{
    private static readonly string[] Things = ["soup", "room", "film", "music", "road", "lamp", "story", "garden", "coat", "bread"];
    private static readonly string[] Praise = ["wonderful", "a joy", "better than I hoped", "warm and kind", "worth every cent"];
    private static readonly string[] Blame = ["dreadful", "a waste of time", "worse than I feared", "cold and dull", "broken on arrival"];

    /// <summary>Rows of a tab-separated file with the header label, text.</summary>
    public static List<(string Label, string Text)> Rows(string relative) =>
        [.. File.ReadAllLines(Path.Combine(SharedData.Folder("datasets/text"), relative)).Skip(1).Select(line => line.Split('\t'))
            .Select(cells => (cells[0], cells[1]))];

    /// <summary>Sentences of the labels pos and neg, for tests that need some text and not a result.</summary>
    public static IEnumerable<(string Label, string Text)> Opinions(int count) =>
        Enumerable.Range(0, count).Select(i => (i % 2 == 0 ? "pos" : "neg",
        $"The {Things[i / 2 % Things.Length]} was {(i % 2 == 0 ? Praise : Blame)[i / 2 % 5]}, and so was the "
        + $"{Things[(i / 2 + 1 + i / 20) % Things.Length]} {i}."));

    /// <summary>The path of a new model of texts, /api/v1/models/{id}.</summary>
    public static async Task<string> NewTextModelAsync(this HttpClient client, params string[] categories)
    {
        var model = await (await client.PostAsync("/api/v1/models",
            new { name = "Model " + Guid.CreateVersion7(), kind = "textClassification", categories }))
            .JsonAsync(HttpStatusCode.Created);
        return $"/api/v1/models/{model["id"]}";
    }

    public static StringContent Body(string text, string mediaType = "text/plain") => new(text, Encoding.UTF8, mediaType);

    public static async Task<JsonNode> AddTextsAsync(this HttpClient client, string model, IEnumerable<(string Label, string Text)> rows) =>
        await (await client.PostAsync($"{model}/texts", new { texts = rows.Select(row => new { text = row.Text, category = row.Label }) }))
            .JsonAsync();

    public static async Task<JsonNode> AskAsync(this HttpClient client, string model, params IEnumerable<string> texts) =>
        await (await client.PostAsync($"{model}/predictions", new { texts })).JsonAsync();

    public static string BestLabel(this JsonNode prediction) => (string)prediction["labels"]![0]!["label"]!;
}
