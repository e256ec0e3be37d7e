using System.Net;
using System.Text.Json.Nodes;
using Headstart.Hosting;
using Headstart.ImageSearches;
using Headstart.Jobs;
using Headstart.Tests.Uploads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.ImageSearches;

public sealed class ImageSearchesTests(SearchHost host) : IClassFixture<SearchHost>
{
    private readonly HttpClient _client = host.Client;
    private readonly Catalogues _catalogues = host.Catalogues;

    [Fact]
    public async Task One_call_finds_images_sifts_them_and_trains_a_model_that_works()
    {
        var (cats, dogs) = (Photographs(Pets.Cats), Photographs(Pets.Dogs));
        var clothes = Photographs(Directory.GetFiles(Directory.GetDirectories(SharedData.Folder("datasets/clothing/train"))
            .Order(StringComparer.Ordinal).First()).Order(StringComparer.Ordinal));
        _catalogues.Openverse("domestic cat", [.. cats[..22], .. clothes[..2], cats[0]]); // two pages, with foreign ones and one twice
        _catalogues.OpenverseAddress("domestic cat", _catalogues.Web.Address + "/gone.jpg");
        _catalogues.OpenverseAddress("domestic cat", _catalogues.Web.Lay("/page.html", "<html>"u8.ToArray(), "text/html"));
        _catalogues.OpenverseAddress("domestic cat", "http://169.254.169.254/latest/meta-data/");
        _catalogues.OpenverseAddress("domestic cat", _catalogues.Web.Lay("/broken.jpg", cats[1][..2_000]));
        _catalogues.Wikimedia("domestic cat", [.. cats[22..28], Smaller(cats[2])]); // and one in another size
        _catalogues.Wikimedia("dog", dogs[..24]);
        var model = await _client.NewModelAsync("cats", "dogs");

        var search = await EndAsync(model, await StartAsync(model, new
        {
            queries = new { cats = "domestic cat", dogs = "dog" },
            perCategory = 24,
            train = true,
        }));

        Assert.Equal(("succeeded", 1.0), ((string?)search["state"], (double)search["progress"]!));
        Assert.Empty(search["notices"]!.AsArray());
        var (found, dropped) = (search["categories"]![0]!, search["categories"]![0]!["dropped"]!);
        Assert.Equal((36, 32), ((int)found["found"]!, (int)found["fetched"]!));
        Assert.Equal((1, 1, 1, 1, 1, 1), ((int)dropped["not-found"]!, (int)dropped["not-an-image"]!, (int)dropped["private-address"]!,
            (int)dropped["damaged"]!,
            (int)dropped["duplicate"]!, (int)dropped["near-duplicate"]!));
        Assert.InRange((int)dropped["does-not-belong"]!, 1, 5);
        Assert.Equal(24, (int)found["added"]!);
        Assert.InRange((int)search["categories"]![1]!["added"]!, 20, 24);

        var images = (await _client.GetJsonAsync($"{model}/images?limit=200&category=cats"))["items"]!.AsArray();
        Assert.Equal(24, images.Count);
        Assert.All(images, image => Assert.All(["url", "page", "author", "licence", "licenceUrl", "source", "title"], name =>
            Assert.NotNull((string?)image!["origin"]![name])));
        var openverse = images.First(i => (string?)i!["origin"]!["source"] == "openverse")!["origin"]!;
        Assert.Equal("CC BY-SA 2.0", (string?)openverse["licence"]);
        Assert.StartsWith("Ada ", (string?)openverse["author"]);
        var wikimedia = images.First(i => (string?)i!["origin"]!["source"] == "wikimedia")!["origin"]!;
        Assert.StartsWith("Grace & Co ", (string?)wikimedia["author"]); // no tags
        Assert.StartsWith("https://commons.wikimedia.example/wiki/File:", (string?)wikimedia["page"]);

        var run = await _client.EndOfRunAsync(model, await _client.GetJsonAsync($"{model}/training-runs/{search["runId"]}"));
        Assert.Equal("succeeded", (string?)run["state"]);
        var answers = (await _client.PredictAsync(model, [.. Pets.Cats[^6..], .. Pets.Dogs[^6..]]))["predictions"]!.AsArray();
        Assert.InRange(answers.Index().Count(a => (string?)a.Item!["labels"]![0]!["label"] == (a.Index < 6 ? "cats" : "dogs")), 10, 12);
        Assert.Contains(_catalogues.Web.Asked, path => path.StartsWith("/openverse")
            && path.Contains("license_type=commercial,modification") && path.Contains("page=2"));
        Assert.All(_catalogues.Web.UserAgents, agent => Assert.Contains("ops@example.org", agent));
    }

    [Fact]
    public async Task A_source_that_is_busy_is_asked_again_and_one_that_is_down_leaves_the_work_to_the_other()
    {
        _catalogues.Openverse("busy", Enumerable.Range(100, 6).Select(i => Pictures.Jpeg(i)));
        (_catalogues.Throttled, _catalogues.WikimediaIsDown) = (2, true);
        try
        {
            var model = await _client.NewModelAsync("things");
            var search = await EndAsync(model, await StartAsync(model,
                new { queries = new { things = "busy" }, perCategory = 5, train = false }));

            Assert.Equal(("succeeded", 0), ((string?)search["state"], _catalogues.Throttled));
            Assert.Contains("read-only", (string?)Assert.Single(search["notices"]!.AsArray()));
            Assert.InRange((int)search["categories"]![0]!["added"]!, 1, 5);
            Assert.Null(search["runId"]);

            (_catalogues.Throttled, _catalogues.RetryAfter) = (1, "86400"); // a day: not to be waited for
            var none = await EndAsync(model, await StartAsync(model,
                new { queries = new { things = "busy" }, sources = new[] { "openverse" } }));
            Assert.Equal("failed", (string?)none["state"]);
            Assert.Contains("429", (string?)none["error"]);
        }
        finally
        {
            (_catalogues.Throttled, _catalogues.WikimediaIsDown, _catalogues.RetryAfter) = (0, false, "0");
        }
    }

    [Fact]
    public async Task What_was_found_can_be_reviewed_before_it_is_added_and_after()
    {
        _catalogues.Openverse("review", [.. Enumerable.Range(200, 6).Select(i => Pictures.Jpeg(i)), Pictures.Jpeg(200), Pictures.Jpeg(201)]);
        var model = await _client.NewModelAsync("things");
        var search = await EndAsync(model, await StartAsync(model,
            new { queries = new { things = "review" }, review = true, train = false }));
        var path = $"{model}/image-searches/{search["id"]}";
        Assert.Equal(("reviewing", 0), ((string?)search["state"], (int)search["categories"]![0]!["added"]!));
        Assert.Empty((await _client.GetJsonAsync($"{model}/images"))["items"]!.AsArray());

        var kept = (await _client.GetJsonAsync($"{path}/candidates?state=kept"))["items"]!.AsArray();
        var (first, second) = (kept[0]!["position"], kept[1]!["position"]);
        Assert.Equal("image/jpeg", (await _client.GetAsync($"{path}/candidates/{first}/content", Api.Cancel))
            .Content.Headers.ContentType?.MediaType);
        Assert.Equal("rejected", (string?)(await (await PatchAsync($"{path}/candidates/{first}", true)).JsonAsync())["state"]);
        Assert.Equal("rejected", (string?)(await (await PatchAsync($"{path}/candidates/{first}", true)).JsonAsync())["state"]);
        var copies = (await _client.GetJsonAsync($"{path}/candidates?state=dropped"))["items"]!.AsArray()
            .Where(c => (string?)c!["reason"] == "duplicate").Select(c => c!["position"]).ToList();
        // somebody wants it all the same
        Assert.Equal("kept", (string?)(await (await PatchAsync($"{path}/candidates/{copies[0]}", false)).JsonAsync())["state"]);

        search = await EndAsync(model, await (await _client.PostAsync($"{path}/accept", new { })).JsonAsync(HttpStatusCode.Accepted));
        Assert.Equal("succeeded", (string?)search["state"]);
        var images = (await _client.GetJsonAsync($"{model}/images"))["items"]!.AsArray();
        Assert.Equal(6, images.Count); // one of six was rejected, and its copy taken in all the same
        Assert.DoesNotContain(images, i => (string?)i!["origin"]!["title"] == (string?)kept[0]!["origin"]!["title"]);

        await (await PatchAsync($"{path}/candidates/{second}", true)).JsonAsync(); // after: it goes out of the model
        Assert.Equal(images.Count - 1, (await _client.GetJsonAsync($"{model}/images"))["items"]!.AsArray().Count);
        foreach (var late in new[] { second, copies[1] })
        {
            await (await PatchAsync($"{path}/candidates/{late}", false)).ProblemAsync(HttpStatusCode.Conflict, "not-in-review");
        }

        await (await _client.GetAsync($"{path}/candidates?state=7", Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "invalid-state");
        await (await PatchAsync($"{path}/candidates/999", true)).ProblemAsync(HttpStatusCode.NotFound, "candidate-not-found");
        await (await _client.PostAsync($"{path}/accept", new { })).JsonAsync(HttpStatusCode.Accepted); // once more does nothing
    }

    [Fact]
    public async Task Twins_add_each_image_once_and_start_one_run()
    {
        _catalogues.Wikimedia("twins a", Photographs(Pets.Cats)[..12]);
        _catalogues.Wikimedia("twins b", Photographs(Pets.Dogs)[..12]);
        var model = await _client.NewModelAsync();
        var search = await StartAsync(model, new
        {
            queries = new Dictionary<string, string> { ["a"] = "twins a", ["b"] = "twins b" },
            perCategory = 10
        });
        var id = (Guid)search["id"]!;
        var twins = new List<Task>();
        for (var i = 0; i < 3; i++)
        {
            await host.QueryAsync(db => db.Database.ExecuteSqlAsync(
                $"UPDATE image_searches SET lease_until = 'epoch' WHERE id = {id} AND finished_at IS NULL", Api.Cancel));
            twins.Add(RunAsync(id));
            await Task.Delay(100, Api.Cancel);
        }

        await Task.WhenAll(twins);
        search = await EndAsync(model, search);

        Assert.Equal("succeeded", (string?)search["state"]);
        Assert.Equal(search["categories"]!.AsArray().Sum(c => (int)c!["added"]!),
            (await _client.GetJsonAsync($"{model}/images?limit=200"))["items"]!.AsArray().Count);
        Assert.Single((await _client.GetJsonAsync($"{model}/training-runs"))["items"]!.AsArray());
    }

    [Theory]
    [InlineData("""{}""", "invalid-queries")]
    [InlineData("""{"queries":{}}""", "invalid-queries")]
    [InlineData("""{"queries":{"cats":""}}""", "invalid-queries")]
    [InlineData("""{"queries":{"cats":null}}""", "invalid-queries")]
    [InlineData("""{"queries":{"cats":"a\u0000b"}}""", "invalid-queries")]
    [InlineData("""{"queries":{"cats":"x","cats ":"y"}}""", "invalid-queries")]
    [InlineData("""{"queries":{"":"cat"}}""", "invalid-category")]
    [InlineData("""{"queries":{"birds":"bird"}}""", "unknown-category")]
    [InlineData("""{"queries":{"cats":"cat"},"perCategory":0}""", "invalid-per-category")]
    [InlineData("""{"queries":{"cats":"cat"},"perCategory":100000}""", "invalid-per-category")]
    [InlineData("""{"queries":{"cats":"cat"},"sources":["bing"]}""", "unknown-source")]
    [InlineData("""{"queries":{"cats":"cat"},"sources":[]}""", "unknown-source")]
    public async Task A_search_that_cannot_be_is_refused_with_a_sentence(string body, string type)
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        await (await _client.PostAsync($"{model}/image-searches", JsonNode.Parse(body)!))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, type);
    }

    [Fact]
    public async Task A_search_that_finds_nothing_says_so_the_same_key_starts_one_and_others_do_not_see_it()
    {
        var model = await _client.NewModelAsync("cats");
        async Task<JsonNode> SendAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{model}/image-searches")
            {
                Content = System.Net.Http.Json.JsonContent.Create(new { queries = new { cats = "unicorn" } }),
                Headers = { { "Idempotency-Key", "once" } },
            };
            return await (await _client.SendAsync(request, Api.Cancel)).JsonAsync(HttpStatusCode.Accepted);
        }

        var search = await EndAsync(model, await SendAsync());
        Assert.Equal((string?)search["id"], (string?)(await SendAsync())["id"]);
        Assert.Equal(("failed", true), ((string?)search["state"], ((string?)search["error"])!.Contains("other search words")));
        Assert.Single((await _client.GetJsonAsync($"{model}/image-searches"))["items"]!.AsArray());

        var path = $"/image-searches/{search["id"]}";
        await (await _client.GetAsync($"{await _client.NewModelAsync("cats")}{path}", Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "image-search-not-found");
        Assert.Equal("failed", (string?)(await (await _client.PostAsync($"{model}{path}/cancel", new { }))
            .JsonAsync(HttpStatusCode.Accepted))["state"]);
        Assert.Contains("\"failed\"", await _client.GetStringAsync($"{model}{path}/events", Api.Cancel));
        await (await _client.PostAsync($"{model}{path}/accept", new { })).ProblemAsync(HttpStatusCode.Conflict, "nothing-to-accept");
    }

    private async Task RunAsync(Guid id)
    {
        await using var scope = host.Services.CreateAsyncScope();
        await ActivatorUtilities.CreateInstance<JobRunner>(scope.ServiceProvider).RunAsync("searches", id, Api.Cancel);
    }

    private async Task<JsonNode> StartAsync(string model, object body) =>
        await (await _client.PostAsync($"{model}/image-searches", body)).JsonAsync(HttpStatusCode.Accepted);

    private async Task<JsonNode> EndAsync(string model, JsonNode search)
    {
        for (var looks = 0; (string?)search["state"] is "queued" or "running"; looks++)
        {
            Assert.True(looks < 1_200, $"The search does not end: {search.ToJsonString()}");
            await Task.Delay(100, Api.Cancel);
            search = await _client.GetJsonAsync($"{model}/image-searches/{search["id"]}");
        }

        return search;
    }

    private Task<HttpResponseMessage> PatchAsync(string path, bool rejected) => _client.SendAsync(HttpMethod.Patch, path, new { rejected });

    private static byte[][] Photographs(IEnumerable<string> files) => [.. files.Select(File.ReadAllBytes)];

    private static byte[] Smaller(byte[] photograph)
    {
        using var image = NetVips.Image.ThumbnailBuffer(photograph, 300);
        return image.JpegsaveBuffer(q: 80);
    }
}
