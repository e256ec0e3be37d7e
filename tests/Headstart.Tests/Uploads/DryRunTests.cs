using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;

namespace Headstart.Tests.Uploads;

/// <summary>A dry run says what the same request would do, and stores nothing.</summary>
[Collection<BodiesHost>]
public sealed class DryRunTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task An_archive_is_told_by_categories_sides_and_reasons()
    {
        var model = await _client.NewModelAsync("cats");
        var open = await _client.NewModelAsync();
        (string, byte[])[] files =
        [
            .. Enumerable.Range(0, 8).Select(i => ($"train/cats/{i}.png", Pictures.Tiny(i))), ("test/cats/8.png", Pictures.Tiny(8)),
            ("test/dogs/9.png", Pictures.Tiny(9)), ("train/cats/broken.png", [1, 2, 3]), ("train/cats/Thumbs.db", [1]),
        ];

        var plan = await PlanAsync(open, Batches.Archive(Batches.Zip(files)));
        Assert.Equal(["cats new 9 8 1", "dogs new 1 0 1"], Categories(plan));
        Assert.Equal(["unsupported-format 1 train/cats/broken.png"], Rejections(plan));
        Assert.Equal((10, 0, 1), ((int)plan["examples"]!, (int)plan["undecided"]!, plan["notices"]!.AsArray().Count));
        Assert.StartsWith("2 categories, 10 images, 20 % for testing; 1 file will be left out: ", (string?)plan["sentence"]);

        plan = await PlanAsync(model, Batches.Archive(Batches.Zip(files)));
        Assert.Equal(["cats old 9 8 1"], Categories(plan));
        Assert.Equal(["unknown-category 1 test/dogs/9.png", "unsupported-format 1 train/cats/broken.png"], Rejections(plan).Order());

        Assert.Empty((await _client.GetJsonAsync(open))["categories"]!.AsArray());
        Assert.Equal((0, 0), (await _client.CountAsync(model), (await _client.GetJsonAsync($"{open}/imports"))["items"]!.AsArray().Count));
        var done = await (await _client.SendImagesAsync(open, Batches.Archive(Batches.Zip(files)))).JsonAsync();
        Assert.Equal(10, done["accepted"]!.AsArray().Count); // as it said
    }

    [Fact]
    public async Task The_content_decides_the_sides_that_nobody_gave_as_it_will()
    {
        var model = await _client.NewModelAsync();
        var archive = Batches.Zip(Enumerable.Range(0, 40).Select(i => ($"cats/{i}.png", Pictures.Tiny(i))));
        var plan = await PlanAsync(model, Batches.Archive(archive));
        var done = await (await _client.SendImagesAsync(model, Batches.Archive(archive))).JsonAsync();
        Assert.Equal((int)plan["categories"]![0]!["test"]!, done["accepted"]!.AsArray().Count(i => (string?)i!["split"] == "test"));
    }

    [Fact]
    public async Task A_large_archive_is_told_by_its_names()
    {
        var plan = await PlanAsync(await _client.NewModelAsync(),
            Batches.Archive(Batches.Zip(Enumerable.Range(0, 600).Select(i => ($"cats/{i}.png", "no image"u8.ToArray())))));
        Assert.Equal(["cats new 600 0 0"], Categories(plan));
        Assert.StartsWith("1 category, 600 images, about 20 % for testing.", (string?)plan["sentence"]);
    }

    [Fact]
    public async Task Forms_lists_and_tables_are_told_without_fetching()
    {
        var model = await _client.NewModelAsync();
        using var form = new Form().Field("category", "cats").File("a.png", Pictures.Tiny(1)).File("b.txt", "text"u8.ToArray())
            .File("Thumbs.db", [1]).Content();
        var plan = await PlanAsync(model, form);
        Assert.Equal((1, 1, 1), ((int)plan["examples"]!, plan["rejected"]!.AsArray().Count, plan["notices"]!.AsArray().Count));

        plan = await PlanAsync(model, UploadCalls.Body("text/csv", "url,category,split\nhttp://no.such.host/a.png,cats,test\nhttp://x/b,dogs,\n"));
        Assert.Equal(["cats new 1 0 1", "dogs new 1 0 0"], Categories(plan));
        Assert.Equal(1, (int)plan["undecided"]!);

        plan = await PlanAsync(model, UploadCalls.Body("application/json",
            $$"""{"images":[{"base64":"{{Convert.ToBase64String(Pictures.Tiny(1))}}","category":"cats"},{"base64":"!","category":"cats"}]}"""));
        Assert.Equal((1, "invalid-base64"), ((int)plan["examples"]!, (string?)plan["rejected"]![0]!["reason"]));
        Assert.Empty((await _client.GetJsonAsync(model))["categories"]!.AsArray());
    }

    [Fact]
    public async Task Texts_are_told_too()
    {
        var model = await _client.NewTextModelAsync();
        var answer = await _client.PostAsync($"{model}/texts?dryRun=true",
            UploadCalls.Body("text/csv", "text,category,split\none,good,train\ntwo,bad,test\nthree,,\n,bad,\n"), Api.Cancel);
        var plan = await answer.JsonAsync();
        Assert.Equal(["good new 1 1 0", "bad new 1 0 1"], Categories(plan));
        Assert.Equal((3, "empty-text"), ((int)plan["examples"]!, (string?)plan["rejected"]![0]!["reason"]));
        Assert.Empty((await _client.GetJsonAsync($"{model}/texts"))["items"]!.AsArray());
    }

    [Fact]
    public async Task A_refusal_is_the_same()
    {
        var model = await _client.NewModelAsync();
        await (await _client.SendImagesAsync(model, UploadCalls.Body("application/zip", "no zip"), "?dryRun=true"))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "not-a-zip");
        await (await _client.SendImagesAsync(model, UploadCalls.Body("image/png", "x"), "?dryRun=true"))
            .ProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    private async Task<JsonNode> PlanAsync(string model, HttpContent content) =>
        await (await _client.SendImagesAsync(model, content, "?dryRun=true")).JsonAsync();

    private static IEnumerable<string> Categories(JsonNode plan) => plan["categories"]!.AsArray()
        .Select(c => $"{c!["name"]} {((bool)c["isNew"]! ? "new" : "old")} {c["examples"]} {c["train"]} {c["test"]}");

    private static IEnumerable<string> Rejections(JsonNode plan) =>
        plan["rejected"]!.AsArray().Select(r => $"{r!["reason"]} {r["count"]} {r["firstFile"]}");
}
