using System.Net;
using System.Text;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;

namespace Headstart.Tests.Uploads.Archives;

/// <summary>Archives whose folders, or whose manifest, say what the images show.</summary>
[Collection<ArchivesHost>]
public sealed class ArchiveUploadTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Theory]
    [InlineData("folders are categories", "cats/a.png dogs/b.png", "cats", "dogs")]
    [InlineData("in one folder around them", "pets/cats/a.png pets/dogs/b.png", "cats", "dogs")]
    [InlineData("with files beside them that are none", "pets/cats/a.png pets/dogs/b.png pets/README.txt LICENCE", "cats", "dogs")]
    [InlineData("with folders in them", "cats/2021/a.png dogs/b.png", "cats", "dogs")]
    [InlineData("written by Windows", "pets\\cats\\a.png pets\\dogs\\b.png", "cats", "dogs")]
    [InlineData("from the folder itself", "./cats/a.png ./dogs/b.png", "cats", "dogs")]
    [InlineData("a category is called as a side", "train/a.png car/b.png", "train", "car")]
    [InlineData("with what macOS adds", "cats/a.png dogs/b.png __MACOSX/cats/._a.png cats/.DS_Store", "cats", "dogs")]
    public async Task Folders_are_the_categories(string what, string names, string first, string second)
    {
        var answer = await SendAsync(names.Split(' ')
            .Select((name, i) => (name, name.EndsWith(".png", StringComparison.Ordinal) && !name.Contains("._", StringComparison.Ordinal)
            ? Pictures.Tiny(i) : "text"u8.ToArray())));
        Assert.True(answer["accepted"]!.AsArray().Select(i => (string?)i!["category"]).SequenceEqual([first, second]),
            $"{what}: {answer.ToJsonString()}");
        Assert.All(answer["rejected"]!.AsArray(), r => Assert.Equal("missing-category", (string?)r!["reason"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("set/")]
    public async Task Sides_above_the_categories_are_kept_as_given(string wrapper)
    {
        var model = await _client.NewModelAsync();
        string[] sides = ["train", "val", "Valid", "validation", "test", "TEST"];
        var files = sides.SelectMany((side, i) => Enumerable.Range(0, 6)
            .Select(n => ($"{wrapper}{side}/cats/{i}-{n}.png", Pictures.Tiny(100 * i + n))));

        await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(files)))).JsonAsync();

        // By their content alone a fifth of each would be on the other side.
        Assert.All(await _client.ImagesAsync(model), image =>
            Assert.Equal(image.Contains("test/", StringComparison.OrdinalIgnoreCase) ? "test" : "train", image.Split(' ')[^1]));
    }

    [Fact]
    public async Task A_given_side_replaces_that_of_the_content_and_of_two_given_sides_test_counts()
    {
        var model = await _client.NewModelAsync("cats");
        var pictures = Enumerable.Range(0, 20).Select(Pictures.Tiny).ToArray();
        var before = await _client.AddAsync(model, "cats", pictures);
        Assert.Equal(2, before.Select(i => (string?)i!["split"]).Distinct().Count()); // by the content
        Assert.DoesNotContain(before, i => (bool)i!["splitGiven"]!);

        Assert.Equal(["train true"], await SidesAsync(pictures.Select((p, i) => ($"train/cats/{i}.png", p))));
        Assert.Equal(["test true"], await SidesAsync(pictures.Select((p, i) => ($"test/cats/{i}.png", p))));
        Assert.Equal(["test true"], await SidesAsync(pictures.Select((p, i) => ($"train/cats/{i}.png", p))));

        var both = await _client.NewModelAsync("cats");
        Assert.Equal(["test true"], await SidesAsync([("train/cats/a.png", pictures[0]), ("test/cats/b.png", pictures[0])], both));

        async Task<IEnumerable<string>> SidesAsync(IEnumerable<(string, byte[])> files, string? to = null)
        {
            var answer = await (await _client.SendImagesAsync(to ?? model, Batches.Archive(Batches.Zip(files)))).JsonAsync();
            Assert.Empty(answer["rejected"]!.AsArray());
            return answer["accepted"]!.AsArray().Select(i => $"{i!["split"]} {i["splitGiven"]!.ToJsonString()}").Distinct();
        }
    }

    [Theory]
    [InlineData("labels.csv", "file,category,split\na.png,cats,test\r\n\"sub/b.png\",\"dogs\",train\n")]
    [InlineData("set/manifest.jsonl",
        "{\"file\":\"a.png\",\"category\":\"cats\",\"split\":\"test\"}\n\n{\"file\":\"sub/b.png\",\"categories\":[\"dogs\"],\"split\":\"val\"}")]
    [InlineData("Annotations.csv", "\uFEFFsplit;label;file_name\r\ntest;cats;a.png\r\ntrain;dogs;b.png\r\n")]
    public async Task A_manifest_at_the_top_says_what_the_files_show(string name, string manifest)
    {
        var model = await _client.NewModelAsync();
        var folder = name.StartsWith("set/", StringComparison.Ordinal) ? "set/" : "";
        var answer = await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(
            (name, Encoding.UTF8.GetBytes(manifest)), ($"{folder}a.png", Pictures.Tiny(1)), ($"{folder}sub/b.png", Pictures.Tiny(2)),
            ($"{folder}sub/c.png", Pictures.Tiny(3)))))).JsonAsync();

        Assert.Equal([$"{folder}a.png cats test", $"{folder}sub/b.png dogs train"], await _client.ImagesAsync(model));
        Assert.Equal([$"{folder}sub/c.png not-in-manifest"], UploadCalls.Rejected(answer));
    }

    [Fact]
    public async Task A_manifest_gives_several_categories_and_says_what_is_missing()
    {
        var model = await MultiLabelAsync();
        var answer = await (await _client.SendImagesAsync(model, Batches.Archive(Batches.Zip(
            ("labels.csv", "file,categories\na.png,cats|dogs\nb.png,\nc.png,cats;dogs\nd.png,cats\nd.png,dogs\ngone.png,cats\n,cats\n"u8.ToArray()),
            ("a.png", Pictures.Tiny(1)), ("b.png", Pictures.Tiny(2)), ("c.png", Pictures.Tiny(3)), ("d.png", Pictures.Tiny(4))))))
            .JsonAsync();

        Assert.Equal(["a.png cats|dogs", "b.png ", "c.png cats|dogs", "d.png cats|dogs"], UploadCalls.Accepted(answer));
        Assert.Equal(["gone.png missing-file", "row 7 no-file-named"], UploadCalls.Rejected(answer));
    }

    [Fact]
    public async Task A_folder_without_an_image_is_no_category()
    {
        var model = await _client.NewModelAsync();
        await (await _client.SendImagesAsync(model,
            Batches.Archive(Batches.Zip(("notes/a.txt", "text"u8.ToArray()), ("cats/a.png", Pictures.Tiny(1)))))).JsonAsync();
        Assert.Equal(["cats"], (await _client.GetJsonAsync(model))["categories"]!.AsArray().Select(c => (string?)c!["name"]));
    }

    private async Task<System.Text.Json.Nodes.JsonNode> SendAsync(IEnumerable<(string, byte[])> files) =>
        await (await _client.SendImagesAsync(await _client.NewModelAsync(), Batches.Archive(Batches.Zip(files)))).JsonAsync();

    private async Task<string> MultiLabelAsync() => "/api/v1/models/" + (await (await _client.PostAsync("/api/v1/models",
        new { name = $"{Guid.CreateVersion7()}", kind = "multiLabelImageClassification", categories = new[] { "cats", "dogs" } }))
            .JsonAsync(HttpStatusCode.Created))["id"];
}
