using System.Net;
using System.Text;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;

namespace Headstart.Tests.Uploads;

/// <summary>Names that computers write in different ways, in whatever way they come.</summary>
[Collection<BodiesHost>]
public sealed class UploadedNamesTests(TestHost host)
{
    private const string Windows = "Caf\u00e9", Mac = "Cafe\u0301";
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task A_category_is_the_same_from_windows_and_from_macos_by_every_way_in()
    {
        var model = await _client.NewModelAsync();
        foreach (var (name, number) in new[] { (Windows, 1), (Mac, 3) })
        {
            var archive = Batches.Zip(($"{name}/1.png", Pictures.Tiny(number)), ("dogs/2.png", Pictures.Tiny(number + 1)));
            await (await _client.SendImagesAsync(model, Batches.Archive(archive))).JsonAsync();
        }

        await _client.AddAsync(model, Mac, Pictures.Tiny(5));
        await (await _client.SendImagesAsync(model, UploadCalls.Body("application/json",
            $$"""{"images":[{"base64":"{{Convert.ToBase64String(Pictures.Tiny(6))}}","category":"{{Mac}}"}]}"""))).JsonAsync();
        using var form = Api.Form($"\u200e{Mac}\u200e", ("7.png", Pictures.Tiny(7)));
        await (await _client.PostAsync($"{model}/feedback", form, Api.Cancel)).JsonAsync();

        var categories = (await _client.GetJsonAsync(model))["categories"]!.AsArray();
        Assert.Equal([$"{Windows} 5", "dogs 2"], categories.Select(c => $"{c!["name"]} {c["imageCount"]}"));
    }

    [Fact]
    public async Task A_table_names_files_as_windows_does_and_the_archive_as_macos_does()
    {
        var model = await _client.NewModelAsync();
        var table = Encoding.UTF8.GetBytes("file,category\nBr\u00f6tchen 1.png,bread\n\u00c4pfel/2.png,fruit\nScreenshot at 9.41\u202fAM.png,other\n");

        var answer = await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(("labels.csv", table),
            ("Bro\u0308tchen 1.png", Pictures.Tiny(1)), ("A\u0308pfel/2.png", Pictures.Tiny(2)),
            ("Screenshot at 9.41 AM.png", Pictures.Tiny(3)))))).JsonAsync();

        Assert.Equal(["Bro\u0308tchen 1.png bread", "A\u0308pfel/2.png fruit", "Screenshot at 9.41 AM.png other"],
            UploadCalls.Accepted(answer));
    }

    [Fact]
    public async Task A_table_with_marks_that_nobody_sees_makes_one_category()
    {
        var model = await _client.NewModelAsync();
        string[] cats = ["cat", "cat\u200b", "\ufeffcat", "c\u00adat", "\u200fcat", "cat\u00a0", "\u3000cat"];

        var answer = await (await _client.SendImagesAsync(model, UploadCalls.Body("application/x-ndjson", string.Join('\n', cats.Select((name, i) =>
            $$"""{"base64":"{{Convert.ToBase64String(Pictures.Tiny(i))}}","category":"{{name}}"}"""))))).JsonAsync();

        Assert.All(answer["accepted"]!.AsArray(), image => Assert.Equal("cat", (string?)image!["category"]));
        Assert.Equal(cats.Length, answer["accepted"]!.AsArray().Count);
        Assert.Empty(answer["notices"]!.AsArray());
    }

    [Fact]
    public async Task The_category_beyond_the_limit_is_refused_with_the_limit_and_a_cure_that_works()
    {
        var model = await _client.NewModelAsync(); // takes categories from uploads
        var names = Enumerable.Range(0, 1_000).Select(i => $"s{i:0000}").ToArray();
        await (await _client.SendAsync(HttpMethod.Patch, model, new { categories = names })).JsonAsync();

        using var form = Api.Form("s1000", ("a.png", Pictures.Tiny(1)));
        var problem = await (await _client.PostAsync($"{model}/images", form, Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted");
        Assert.Contains("has no category \"s1000\", and with 1,000 categories it has as many as a model can have", (string?)problem["detail"]);
        Assert.DoesNotContain("PATCH", (string?)problem["detail"]);

        await (await _client.PostAsync($"{model}/categories/merge", new { from = new[] { "s0999" }, into = "s0998" })).JsonAsync();
        await _client.AddAsync(model, "s1000", Pictures.Tiny(1));
    }
}
