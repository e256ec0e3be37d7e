using System.Net;
using System.Text.Json.Nodes;

namespace Headstart.Tests.Uploads.Boxes;

/// <summary>Images of detection models: what is there, and where.</summary>
[Collection<FormatsHost>]
public sealed class BoxesTests(TestHost host)
{
    private static readonly object Cat = new { category = "cat", x = 0.25, y = 0.5, width = 0.5, height = 0.25 };
    private static readonly object Dog = new { category = "dog", x = 0, y = 0, width = 1, height = 0.125, difficult = true };

    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task An_image_comes_with_its_boxes_in_their_order()
    {
        var model = await _client.NewDetectorAsync("cat", "dog", "bird");

        var image = await AddAsync(model, 1, Cat, Dog, Cat);

        Assert.Equal(["cat", "dog", "cat"], image["boxes"]!.AsArray().Select(box => (string?)box!["category"]));
        Assert.Equal("""{"category":"cat","x":0.25,"y":0.5,"width":0.5,"height":0.25,"difficult":false}""", image["boxes"]![0]!.ToJsonString());
        Assert.True((bool)image["boxes"]![1]!["difficult"]!);
        Assert.Equal(["cat", "dog"], image["categories"]!.AsArray().Select(name => (string?)name));
        Assert.Equal(image["boxes"]!.ToJsonString(),
            (await _client.GetJsonAsync($"{model}/images/{image["id"]}"))["boxes"]!.ToJsonString());
        Assert.Equal(["cat 1", "dog 1", "bird 0"], await CountsAsync(model));
    }

    [Fact]
    public async Task An_image_that_nobody_has_looked_at_is_not_an_image_of_nothing()
    {
        var model = await _client.NewDetectorAsync("cat");
        using var form = Api.Form(null, ("later.png", Pictures.Tiny(1)));
        var later = (await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync())["accepted"]![0]!;
        var nothing = await AddAsync(model, 2);

        Assert.Null(later["boxes"]);
        Assert.Empty(nothing["boxes"]!.AsArray());
        Assert.Equal([(string?)later["id"]], await IdsAsync($"{model}/images?boxes=false"));
        Assert.Equal([(string?)nothing["id"]], await IdsAsync($"{model}/images?boxes=true"));
    }

    [Fact]
    public async Task A_person_replaces_all_boxes_of_an_image_and_takes_them_back()
    {
        var model = await _client.NewDetectorAsync("cat", "dog");
        var image = await AddAsync(model, 1, Cat, Cat);
        var path = $"{model}/images/{image["id"]}";

        var changed = await (await _client.SendAsync(HttpMethod.Put, $"{path}/boxes", new { boxes = new[] { Dog } })).JsonAsync();
        Assert.Equal(["dog"], changed["categories"]!.AsArray().Select(name => (string?)name));
        Assert.True((bool)changed["confirmed"]!);
        Assert.Equal(["cat 0", "dog 1"], await CountsAsync(model));

        var unseen = await (await _client.SendAsync(HttpMethod.Put, $"{path}/boxes", new { boxes = (object?)null })).JsonAsync();
        Assert.Null(unseen["boxes"]);
        Assert.Equal(["cat 0", "dog 0"], await CountsAsync(model));
        await (await _client.SendAsync(HttpMethod.Patch, path, new { categories = new[] { "cat" } }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "boxes-wanted");
        await (await _client.SendAsync(HttpMethod.Put, $"{model}/images/{Guid.CreateVersion7()}/boxes", new { boxes = new[] { Dog } }))
            .ProblemAsync(HttpStatusCode.NotFound, "image-not-found");
    }

    [Fact]
    public async Task The_same_image_again_keeps_its_boxes_and_one_without_takes_them()
    {
        var model = await _client.NewDetectorAsync("cat", "dog");
        using var form = Api.Form(null, ("a.png", Pictures.Tiny(1)));
        await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();

        Assert.Equal(2, (await AddAsync(model, 1, Cat, Dog))["boxes"]!.AsArray().Count);
        var again = await AddAsync(model, 1, Dog, Cat); // in another order
        Assert.True((bool)again["alreadyThere"]!);
        var other = (await SendAsync(model, 1, Cat))["rejected"]![0]!;

        Assert.Equal("duplicate", (string?)other["reason"]);
        Assert.Equal(2, (await _client.GetJsonAsync($"{model}/images"))["items"]![0]!["boxes"]!.AsArray().Count);
    }

    [Fact]
    public async Task Boxes_that_cannot_be_are_refused_with_their_number_and_small_overhang_is_cut_off()
    {
        var model = await _client.NewDetectorAsync("cat");
        object Box(double x, double y, double width, double height, string category = "cat") => new { category, x, y, width, height };

        foreach (var (bad, reason) in new[]
        {
            (Box(0.5, 0.5, 0, 0.1), "invalid-boxes"), (Box(0.5, 0.5, -0.2, 0.1), "invalid-boxes"), (Box(100, 20, 50, 60), "invalid-boxes"),
            (Box(0.9, 0.5, 0.2, 0.1), "invalid-boxes"), (Box(1e300, 0, 1e300, 1), "invalid-boxes"),
            (Box(1.005, 0, 0.004, 1), "invalid-boxes"),
            (Box(0, 0, 1, 1, " "), "invalid-boxes"), (Box(0, 0, 1, 1, "elephant"), "unknown-category"),
        })
        {
            var file = (await SendAsync(model, 1, Cat, bad))["rejected"]![0]!;
            Assert.Equal(reason, (string?)file["reason"]);
            Assert.True(reason == "unknown-category" || ((string)file["detail"]!).StartsWith("Box 2", StringComparison.Ordinal),
                file.ToJsonString());
        }

        var cut = (await AddAsync(model, 1, Box(-0.005, 0, 1.01, 1.005)))["boxes"]![0]!;
        Assert.Equal((0, 0, 1, 1), ((double)cut["x"]!, (double)cut["y"]!, (double)cut["width"]!, (double)cut["height"]!));
        await (await _client.SendAsync(HttpMethod.Put, $"{model}/images/{(await IdsAsync($"{model}/images"))[0]}/boxes",
            new { boxes = new[] { Box(2, 2, 1, 1) } })).ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-boxes");
    }

    [Fact]
    public async Task Boxes_belong_to_detection_models_and_categories_without_boxes_do_not()
    {
        var (detection, classes) = (await _client.NewDetectorAsync("cat"), await _client.NewModelAsync("cat"));
        var image = (await _client.AddAsync(classes, "cat", Pictures.Tiny(1)))[0]!;

        Assert.Equal("boxes-not-wanted", (string?)(await SendAsync(classes, 2, Cat))["rejected"]![0]!["reason"]);
        await (await _client.SendAsync(HttpMethod.Put, $"{classes}/images/{image["id"]}/boxes", new { boxes = new[] { Cat } }))
            .ProblemAsync(HttpStatusCode.Conflict, "wrong-kind");
        using var form = Api.Form("cat", ("a.png", Pictures.Tiny(3)));
        var refused = await (await _client.PostAsync($"{detection}/images", form, Api.Cancel))
            .JsonAsync(HttpStatusCode.UnprocessableEntity);
        Assert.Equal("category-without-boxes", (string?)refused["rejected"]![0]!["reason"]);
    }

    [Fact]
    public async Task Merged_categories_take_their_boxes_along_and_back()
    {
        var model = await _client.NewDetectorAsync("dog", "cat", "Cat");
        await AddAsync(model, 1, Cat, Dog, new { category = "Cat", x = 0, y = 0, width = 0.5, height = 0.5 });
        await AddAsync(model, 2, new { category = "Cat", x = 0, y = 0, width = 0.5, height = 0.5 });
        var before = await BoxesAsync(model);

        var change = await (await _client.PostAsync($"{model}/categories/merge", new { from = new[] { "Cat" }, into = "cat" })).JsonAsync();
        Assert.Equal(before.Replace("Cat", "cat", StringComparison.Ordinal), await BoxesAsync(model));
        Assert.Equal(["dog 1", "cat 2"], await CountsAsync(model));

        await (await _client.PostAsync($"{model}/categories/changes/{change["id"]}/undo", new { })).JsonAsync();
        Assert.Equal(before, await BoxesAsync(model));
        Assert.Equal(["dog 1", "cat 1", "Cat 2"], await CountsAsync(model));
    }

    [Fact]
    public async Task A_box_drawn_after_a_merge_stays_in_the_merged_category()
    {
        var model = await _client.NewDetectorAsync("cat", "Cat");
        var image = await AddAsync(model, 1, new { category = "Cat", x = 0, y = 0, width = 0.5, height = 0.5 });
        var change = await (await _client.PostAsync($"{model}/categories/merge", new { from = new[] { "Cat" }, into = "cat" })).JsonAsync();
        await (await _client.SendAsync(HttpMethod.Put, $"{model}/images/{image["id"]}/boxes", new { boxes = new[] { Cat, Cat } }))
            .JsonAsync();

        await (await _client.PostAsync($"{model}/categories/changes/{change["id"]}/undo", new { })).JsonAsync();

        Assert.Equal("cat cat", await BoxesAsync(model));
    }

    /// <summary>An upload of one image, which answers 422 where it is refused.</summary>
    private async Task<JsonNode> SendAsync(string model, int picture, params object[] boxes)
    {
        var answer = await _client.PostAsync($"{model}/images/list", new
        {
            images = new[] { new { base64 = Convert.ToBase64String(Pictures.Tiny(picture)), fileName = $"{picture}.png", boxes } },
        });
        return await answer.JsonAsync(answer.IsSuccessStatusCode ? HttpStatusCode.OK : HttpStatusCode.UnprocessableEntity);
    }

    private async Task<JsonNode> AddAsync(string model, int picture, params object[] boxes)
    {
        var answer = await SendAsync(model, picture, boxes);
        Assert.True(answer["rejected"]!.AsArray().Count == 0, answer.ToJsonString());
        return answer["accepted"]![0]!;
    }

    private async Task<List<string?>> IdsAsync(string path) =>
        [.. (await _client.GetJsonAsync(path))["items"]!.AsArray().Select(image => (string?)image!["id"])];

    private async Task<List<string>> CountsAsync(string model) =>
        [.. (await _client.GetJsonAsync(model))["categories"]!.AsArray().Select(c => $"{c!["name"]} {c["imageCount"]}")];

    /// <summary>The categories of all boxes, image by image.</summary>
    private async Task<string> BoxesAsync(string model) => string.Join(" / ",
        (await _client.GetJsonAsync($"{model}/images"))["items"]!.AsArray()
        .Select(image => string.Join(' ', image!["boxes"]!.AsArray().Select(box => (string?)box!["category"]))));
}
