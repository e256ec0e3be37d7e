using System.IO.Compression;
using System.Net;
using System.Text.Json.Nodes;
using Headstart.Data;
using Headstart.Tests.BatchPredictions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Tests.Uploads.Datasets;

/// <summary>The data set of a model leaves it and comes back the same.</summary>
[Collection<FormatsHost>]
public sealed class DatasetExportTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Images_come_back_with_their_categories_sides_confirmations_origins_and_names()
    {
        // Names that no file system takes, that differ by case only, and that a reader could mistake for something else.
        string[] categories = ["cats", "Cats", "a/b: \"c\" | d", "test", "CON", "__MACOSX", "…"];
        var model = await _client.NewModelAsync(categories);
        await _client.AddAsync(model, "cats", Pictures.Tiny(1), Pictures.Jpeg(2));
        await SendAsync(model, new JsonObject
        {
            ["images"] = new JsonArray([.. categories.Select((category, i) => (JsonNode)new JsonObject
            {
                ["base64"] = Convert.ToBase64String(Pictures.Tiny(10 + i)),
                ["category"] = category,
                ["split"] = i % 2 == 0 ? "test" : "train",
                ["fileName"] = i == 0 ? "../../a \"b\".png" : $"sub/{i}.png",
                ["confirmed"] = i % 3 == 0,
                ["origin"] = i > 2 ? null : Origin(),
            })]),
        });

        var zip = await DownloadAsync(model, "application/zip");
        var copy = await _client.NewModelAsync();
        var answer = await (await _client.SendImagesAsync(copy, Batches.Archive(zip), "?async=false")).JsonAsync();

        Assert.Empty(answer["rejected"]!.AsArray());
        var before = await RowsAsync(model);
        Assert.Equal(9, before.Count);
        Assert.Contains(before, row => row.Contains("Ann <a>", StringComparison.Ordinal) && row.Contains("True", StringComparison.Ordinal));
        Assert.Equal(before, await RowsAsync(copy));
        // Other tools read the folders: one for each side and category, with names that they take.
        using var archive = new ZipArchive(new MemoryStream(zip));
        var folders = archive.Entries.Select(entry => Path.GetDirectoryName(entry.FullName)!).Where(folder => folder.Length > 0).Distinct()
            .ToList();
        Assert.Equal(folders.Count, folders.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(folders, folder => Assert.Matches(@"^(train|test)/\w[^<>:""/\\|?*]*$", folder));
    }

    [Fact]
    public async Task Images_with_several_categories_or_none_come_back()
    {
        var model = await SeveralAsync();
        await SendAsync(model, new JsonObject
        {
            ["images"] = new JsonArray([.. new string[][] { ["sea", "sun|set"], [], ["sea"] }.Select((labels, i) => (JsonNode)new JsonObject
            {
                ["base64"] = Convert.ToBase64String(Pictures.Tiny(i)),
                ["categories"] = new JsonArray([.. labels.Select(label => (JsonNode)label)]),
            })]),
        });
        var copy = await SeveralAsync();
        await (await _client.SendImagesAsync(copy, Batches.Archive(await DownloadAsync(model, "application/zip")))).JsonAsync();
        Assert.Equal(await RowsAsync(model), await RowsAsync(copy));
        Assert.Equal(3, (await RowsAsync(copy)).Count);
    }

    [Fact]
    public async Task Boxes_leave_as_coco_and_come_back_without_loss()
    {
        var model = await _client.NewDetectorAsync();
        object Box(string category, double x, bool difficult = false) =>
            new { category, x, y = 1 / 3.0, width = 0.1234567, height = 2 / 3.0, difficult };
        await (await _client.PostAsync($"{model}/images/list", new
        {
            images = new object[]
            {
                new { base64 = Convert.ToBase64String(Pictures.Jpeg(1)), fileName = "../a \"b\".jpg", split = "test", confirmed = true, origin = Origin(),
                    boxes = new[] { Box("dog", 0.1), Box("cat", 0.7, difficult: true), Box("cat", 0.7) } },
                new { base64 = Convert.ToBase64String(Turned()), fileName = "sub/turned.jpg", split = "train",
                    boxes = new[] { Box("a|b", 0) } },
                new { base64 = Convert.ToBase64String(Pictures.Tiny(3)), fileName = "nothing.png", split = "train",
                    boxes = Array.Empty<object>() },
                new { base64 = Convert.ToBase64String(Pictures.Tiny(4)), fileName = "unseen.png", split = "test" },
            },
        })).JsonAsync();

        var zip = await DownloadAsync(model, "application/zip");
        var copy = await _client.NewDetectorAsync();
        var answer = await (await _client.SendImagesAsync(copy, Batches.Archive(zip), "?async=false")).JsonAsync();

        Assert.Empty(answer["rejected"]!.AsArray());
        Assert.Equal(await RowsAsync(model), await RowsAsync(copy));
        Assert.Equal(await BoxesAsync(model), await BoxesAsync(copy));
        Assert.Equal(4, (await BoxesAsync(copy)).Count);
        // And written again it is the same, byte for byte.
        using var once = new ZipArchive(new MemoryStream(zip));
        using var twice = new ZipArchive(new MemoryStream(await DownloadAsync(copy, "application/zip")));
        Assert.Equal(["images/000001-a _b_.jpg", "images/000002-turned.jpg", "images/000003-nothing.png", "images/000004-unseen.png",
            "readme.txt", "train.json", "test.json"], once.Entries.Select(entry => entry.FullName));
        foreach (var entry in once.Entries.Where(entry => entry.Name != "readme.txt"))
        {
            Assert.Equal(await TextAsync(entry), await TextAsync(twice.GetEntry(entry.FullName)!));
        }

        var coco = JsonNode.Parse(await TextAsync(once.GetEntry("test.json")!))!;
        Assert.Equal(["a|b", "cat", "dog"], coco["categories"]!.AsArray().Select(category => (string?)category!["name"]));
        Assert.Equal([0, 1, 0], coco["annotations"]!.AsArray().Select(box => (int)box!["iscrowd"]!));
        Assert.Equal(32 * (double)0.1f, (double)coco["annotations"]![0]!["bbox"]![0]!);
    }

    [Fact]
    public async Task Texts_come_back_as_they_were()
    {
        var model = await TextsAsync();
        await (await _client.PostAsync($"{model}/texts", new
        {
            texts = new object[]
            {
                new { text = "I loved it\nand \"more\"", category = "good", split = "test", confirmed = true, fileName = "a.csv" },
                new { text = "no category" }, new { text = "Ich mag’s nicht", category = "bad", split = "train" },
            },
        })).JsonAsync();
        var copy = await TextsAsync();
        await (await _client.PostAsync($"{copy}/texts", UploadCalls.Body("application/x-ndjson",
            await DownloadAsync(model, "application/x-ndjson")), Api.Cancel)).JsonAsync();
        Assert.Equal(await RowsAsync(model), await RowsAsync(copy));
        Assert.Contains(await RowsAsync(copy), row => row.StartsWith("a.csv good Test True", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_model_without_examples_and_one_of_somebody_else()
    {
        using var archive = new ZipArchive(new MemoryStream(await DownloadAsync(await _client.NewModelAsync(), "application/zip")));
        Assert.Equal(["readme.txt", "labels.jsonl"], archive.Entries.Select(entry => entry.FullName));
        await (await _client.GetAsync($"/api/v1/models/{Guid.CreateVersion7()}/dataset", Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("file:///etc/passwd")]
    [InlineData(null)]
    public async Task An_origin_whose_link_would_not_be_one_is_refused(string? page)
    {
        var model = await _client.NewModelAsync("cats");
        var answer = await _client.PostAsync($"{model}/images", new
        {
            images = new[]
            {
                new
                {
                    base64 = Convert.ToBase64String(Pictures.Tiny(1)), category = "cats",
                    origin = new { url = page is null ? null : "https://example.com", page },
                },
            },
        });
        Assert.Equal("invalid-origin", (string?)(await answer.ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted"))
            ["rejected"]![0]!["reason"]);
    }

    private static JsonObject Origin() => new() { ["url"] = "https://example.com/a.png", ["author"] = "Ann <a>", ["licence"] = "CC BY" };

    private async Task SendAsync(string model, JsonObject images) =>
        Assert.Empty((await (await _client.PostAsync($"{model}/images", images)).JsonAsync())["rejected"]!.AsArray());

    private async Task<byte[]> DownloadAsync(string model, string type)
    {
        var answer = await _client.GetAsync($"{model}/dataset", Api.Cancel);
        var bytes = await answer.Content.ReadAsByteArrayAsync(Api.Cancel);
        Assert.Equal((HttpStatusCode.OK, type, "attachment"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType,
            answer.Content.Headers.ContentDisposition?.DispositionType));
        return bytes;
    }

    private static async Task<string> TextAsync(ZipArchiveEntry entry)
    {
        using var reader = new StreamReader(await entry.OpenAsync(Api.Cancel), System.Text.Encoding.Latin1);
        return await reader.ReadToEndAsync(Api.Cancel);
    }

    /// <summary>On its side, so that its stored sides are swapped.</summary>
    private static byte[] Turned() => Pictures.Write(2, 32, 24, image =>
    {
        using var turned = image.Mutate(fields => fields.Set(NetVips.GValue.GIntType, "orientation", 6));
        return turned.JpegsaveBuffer();
    });

    /// <summary>The boxes of each image, to the last bit.</summary>
    private Task<List<string>> BoxesAsync(string model) => host.QueryAsync(async db =>
    {
        var id = Guid.Parse(model.Split('/')[^1]);
        var names = await db.Categories.Where(c => c.ModelId == id).ToDictionaryAsync(c => c.Id, c => c.Name);
        return (await db.Examples.Include(e => e.Boxes).Where(e => e.ModelId == id).ToListAsync()).Select(e => $"{e.FileName}"
            + $" {e.BoxesKnown} "
            + string.Join(", ", e.Boxes.OrderBy(b => b.Position).Select(b => $"{names[b.CategoryId]} {b.X:R} {b.Y:R} {b.Width:R}"
            + $" {b.Height:R} {b.Difficult}")))
            .Order(StringComparer.Ordinal).ToList();
    });

    private async Task<string> SeveralAsync() => await NewAsync("multiLabelImageClassification");

    private async Task<string> TextsAsync() => await NewAsync("textClassification");

    private async Task<string> NewAsync(string kind) => "/api/v1/models/" + (await (await _client.PostAsync("/api/v1/models",
        new { name = $"{Guid.CreateVersion7()}", kind })).JsonAsync(HttpStatusCode.Created))["id"];

    /// <summary>All that an example is, without what its model and the time make of it.</summary>
    private Task<List<string>> RowsAsync(string model) => host.QueryAsync(async db =>
    {
        var id = Guid.Parse(model.Split('/')[^1]);
        var names = await db.Categories.Where(c => c.ModelId == id).ToDictionaryAsync(c => c.Id, c => c.Name);
        return (await db.Examples.Include(e => e.Labels).Where(e => e.ModelId == id).ToListAsync()).Select(e =>
            $"{e.FileName} {string.Join('|', e.Labels.Select(l => names[l.CategoryId]).Order(StringComparer.Ordinal))} {e.Split} "
            + $"{e.Confirmed} {e.Origin} {e.MediaType} {e.Width} {e.Text} {Convert.ToHexString(e.Sha256)}")
            .Order(StringComparer.Ordinal).ToList();
    });
}
