using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Access;
using Headstart.Tests.Backbones;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Models;

[Collection<ModelsHost>]
public sealed class ModelsTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task A_new_model_is_answered_with_its_address_and_can_be_read_there()
    {
        var response = await _client.PostAsync("/api/v1/models",
            new { name = " Café 東京 🐈 ", kind = "imageClassification", categories = new[] { "dogs", "cats" } });

        var model = await response.JsonAsync(HttpStatusCode.Created);
        Assert.Equal($"/api/v1/models/{model["id"]}", response.Headers.Location?.OriginalString);
        Assert.Equal(
            ["id", "name", "kind", "state", "categories", "publishedVersion", "createdAt", "update", "published", "lastRun"],
            model.AsObject().Select(p => p.Key));
        Assert.Equal(("Café 東京 🐈", "imageClassification", "empty"),
            ((string?)model["name"], (string?)model["kind"], (string?)model["state"]));
        Assert.Equal(["dogs", "cats"], Names(model));
        Assert.Equal('7', ((string)model["id"]!)[14]);
        Assert.EndsWith("Z", (string?)model["createdAt"]);
        Assert.Equal(model.ToJsonString(), (await _client.GetJsonAsync(response.Headers.Location!.OriginalString)).ToJsonString());
    }

    [Fact]
    public async Task The_state_follows_what_the_model_has()
    {
        var model = await _client.NewModelAsync("red", "blue");
        Assert.Equal("empty", await StateAsync(model));

        await _client.AddAsync(model, "red", Pictures.Jpeg(1), Pictures.Jpeg(2));
        Assert.Equal("collecting", await StateAsync(model));

        var blue = await _client.AddAsync(model, "blue", Pictures.Jpeg(3), Pictures.Jpeg(4));
        Assert.Equal("ready", await StateAsync(model));

        await _client.SendAsync(HttpMethod.Delete, $"{model}/images/{blue[0]!["id"]}");
        Assert.Equal("ready", await StateAsync(model));

        await _client.SendAsync(HttpMethod.Delete, $"{model}/images/{blue[1]!["id"]}");
        Assert.Equal("collecting", await StateAsync(model));
    }

    [Fact]
    public async Task Pages_of_models_are_newest_first_and_join_without_gap_or_repetition()
    {
        using var other = await host.OtherAccountAsync();
        var made = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            made.Add((await other.NewModelAsync())[^36..]);
        }

        var seen = new List<string>();
        for (var path = "/api/v1/models?limit=2"; path is not null;)
        {
            var page = await other.GetJsonAsync(path);
            Assert.True(page["items"]!.AsArray().Count <= 2);
            seen.AddRange(page["items"]!.AsArray().Select(m => (string)m!["id"]!));
            path = (string?)page["next"] is { } next ? $"/api/v1/models?limit=2&after={next}" : null;
        }

        Assert.Equal(Enumerable.Reverse(made), seen);
    }

    [Theory]
    [InlineData("limit=0", 1)]
    [InlineData("limit=-5", 1)]
    [InlineData("limit=100000", 3)]
    [InlineData("after=00000000-0000-0000-0000-000000000000", 0)]
    public async Task Odd_limits_are_put_right(string query, int count)
    {
        using var other = await host.OtherAccountAsync();
        await other.NewModelAsync();
        await other.NewModelAsync();
        await other.NewModelAsync();
        Assert.Equal(count, (await other.GetJsonAsync("/api/v1/models?" + query))["items"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("limit=abc")]
    [InlineData("limit=99999999999")]
    [InlineData("limit=1&limit=2")]
    [InlineData("after=abc")]
    [InlineData("after=%00")]
    public async Task A_query_that_cannot_be_read_is_refused_by_name(string query)
    {
        var problem = await (await _client.GetAsync("/api/v1/models?" + query, Api.Cancel))
            .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        Assert.Contains($"of {query[..5]}", (string?)problem["detail"]);
        Assert.DoesNotContain("Nullable", (string?)problem["detail"]);
    }

    [Theory]
    [InlineData("GET", "models?limt=1", "use limit.")]
    [InlineData("GET", "models?page=2", "this path takes named, limit, after.")]
    [InlineData("POST", "models?name=x", "this path takes none.")]
    [InlineData("POST", "models/00000000-0000-0000-0000-000000000000/images?dry_run=true", "use dryRun.")]
    [InlineData("POST", "models/00000000-0000-0000-0000-000000000000/images/archive?split=test", "this path takes none.")]
    [InlineData("DELETE", "models/00000000-0000-0000-0000-000000000000?id=1", "this path takes none.")]
    public async Task A_parameter_that_a_path_does_not_have_is_refused(string method, string path, string advice)
    {
        using var request = new HttpRequestMessage(new(method), "/api/v1/" + path);
        request.Content = method == "POST" ? new StringContent("{\"name\":\"m\"}", null, "application/json") : null;
        var problem = await (await _client.SendAsync(request, Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "unknown-parameter");
        Assert.EndsWith("; " + advice, (string?)problem["detail"]);
    }

    [Fact]
    public async Task A_model_is_renamed_and_its_categories_change_while_the_images_stay()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        await _client.AddAsync(model, "dogs", Pictures.Jpeg(1));

        var changed = await (await _client.SendAsync(HttpMethod.Patch, model,
            new { name = "Renamed", categories = new[] { "rabbits", "dogs" } })).JsonAsync();

        Assert.Equal("Renamed", (string?)changed["name"]);
        Assert.Equal(["rabbits", "dogs"], Names(changed));
        Assert.Equal(1, (int)changed["categories"]![1]!["imageCount"]!);
        Assert.Equal(changed.ToJsonString(), (await _client.GetJsonAsync(model)).ToJsonString());

        var nothing = await (await _client.SendAsync(HttpMethod.Patch, model, new { })).JsonAsync();
        Assert.Equal(changed.ToJsonString(), nothing.ToJsonString());
    }

    [Fact]
    public async Task A_category_with_images_cannot_be_dropped_and_nothing_else_of_that_change_happens()
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        await _client.AddAsync(model, "dogs", Pictures.Jpeg(1));
        var before = (await _client.GetJsonAsync(model)).ToJsonString();

        var problem = await (await _client.SendAsync(HttpMethod.Patch, model,
            new { name = "Other", categories = new[] { "cats", "birds" } }))
            .ProblemAsync(HttpStatusCode.Conflict, "category-in-use");

        Assert.Contains("\"dogs\"", (string?)problem["detail"]);
        Assert.Equal(before, (await _client.GetJsonAsync(model)).ToJsonString());
    }

    [Fact]
    public async Task Deleting_a_model_takes_its_images_with_it_and_frees_the_name()
    {
        var response = await (await _client.PostAsync("/api/v1/models", new { name = "Short-lived", categories = new[] { "a" } }))
            .JsonAsync(HttpStatusCode.Created);
        var model = $"/api/v1/models/{response["id"]}";
        var image = (await _client.AddAsync(model, "a", Pictures.Jpeg(1)))[0]!["id"];

        Assert.Equal(HttpStatusCode.NoContent, (await _client.SendAsync(HttpMethod.Delete, model)).StatusCode);

        foreach (var path in new[] { model, $"{model}/images", $"{model}/images/{image}", $"{model}/versions", $"{model}/training-runs" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await _client.GetAsync(path, Api.Cancel)).StatusCode);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await _client.SendAsync(HttpMethod.Delete, model)).StatusCode);
        await (await _client.PostAsync("/api/v1/models", new { name = "Short-lived" })).JsonAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Of_many_who_create_the_same_name_at_once_one_wins()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(_ => _client.PostAsync("/api/v1/models", new { name = "Contested" })));
        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.Created);
        Assert.Equal(7, answers.Count(a => a.StatusCode == HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task Concurrent_changes_of_the_categories_end_in_one_of_them()
    {
        var model = await _client.NewModelAsync("a");
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            _client.SendAsync(HttpMethod.Patch, model, new { categories = new[] { "a", "b", $"c{i}" } })));
        Assert.All(answers, a => Assert.True(a.StatusCode is HttpStatusCode.OK, a.StatusCode.ToString()));
        Assert.Contains(answers, a => a.StatusCode == HttpStatusCode.OK);
        Assert.Matches("^a b c[0-7]$", string.Join(' ', Names(await _client.GetJsonAsync(model))));
    }

    private async Task<string?> StateAsync(string model) => (string?)(await _client.GetJsonAsync(model))["state"];

    private static IEnumerable<string> Names(JsonNode model) => model["categories"]!.AsArray().Select(c => (string)c!["name"]!);
}
