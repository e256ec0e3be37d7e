using System.Net;
using System.Text;
using Headstart.Tests.Backbones;
using Headstart.Tests.Hosting;

namespace Headstart.Tests.Models;

/// <summary>Requests that cannot be a model, from careless to hostile.</summary>
[Collection<ModelsHost>]
public sealed class RefusedModelsTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" \t\r\n ")]
    [InlineData("nul\0")]
    [InlineData("bell\u0007")]
    [InlineData("line\nbreak")]
    [InlineData("delete\u007f")]
    [InlineData("c1\u0085x")]
    [InlineData("unreadable\ufffd")]
    public async Task A_name_that_cannot_be_shown_is_refused(string? name)
    {
        await (await CreateAsync(new { name })).ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-name");
        var problem = await (await CreateAsync(new { name = "Fine", categories = new[] { "fine", name } }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-name");
        Assert.Equal(1, (int?)problem["index"]);
    }

    [Fact]
    public async Task A_name_may_have_100_characters_and_not_500()
    {
        await (await CreateAsync(new { name = new string('n', 100) })).JsonAsync(HttpStatusCode.Created);
        var problem = await (await CreateAsync(new { name = new string('n', 500) }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-name");
        Assert.Contains("100", (string?)problem["detail"]);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused_on_creation_and_on_change()
    {
        await CreateAsync(new { name = "Taken" });
        await (await CreateAsync(new { name = "  Taken " })).ProblemAsync(HttpStatusCode.Conflict, "name-taken");
        var model = await _client.NewModelAsync();
        await (await _client.SendAsync(HttpMethod.Patch, model, new { name = "Taken" }))
            .ProblemAsync(HttpStatusCode.Conflict, "name-taken");
    }

    [Fact]
    public async Task A_category_listed_twice_is_refused_with_its_index()
    {
        var problem = await (await CreateAsync(new { name = "Twice", categories = new[] { "a", "b", " a" } }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "duplicate-category");
        Assert.Equal(2, (int?)problem["index"]);
        var model = await _client.NewModelAsync("a");
        await (await _client.SendAsync(HttpMethod.Patch, model, new { categories = new[] { "x", "x" } }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "duplicate-category");
    }

    [Fact]
    public async Task A_thousand_categories_are_taken_and_one_more_is_not()
    {
        var names = Enumerable.Range(0, 1_001).Select(i => $"category {i}").ToArray();
        await (await CreateAsync(new { name = "Too many", categories = names }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "too-many-categories");
        var model = await (await CreateAsync(new { name = "Many", categories = names[..1_000] })).JsonAsync(HttpStatusCode.Created);
        Assert.Equal(names[..1_000], model["categories"]!.AsArray().Select(c => (string?)c!["name"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("42")]
    [InlineData("{\"name\":\"x\",}")]
    [InlineData("{\"name\":5}")]
    [InlineData("{\"name\":{\"deep\":true}}")]
    [InlineData("{\"name\":\"x\",\"categories\":\"cats\"}")]
    [InlineData("{\"name\":\"x\",\"categories\":[1]}")]
    [InlineData("{\"name\":\"x\",\"kind\":\"soundClassification\"}")]
    [InlineData("{\"name\":\"x\",\"kind\":0}")]
    [InlineData("{\"name\":\"lone \\ud83d surrogate\"}")]
    [InlineData("{\"name\":\"x\",\"categories\":[\"\\udc08\"]}")]
    [InlineData("{'name':'x'}")]
    [InlineData("name=x")]
    [InlineData("<model/>")]
    public async Task A_body_that_is_not_the_json_of_a_model_is_refused(string body)
    {
        foreach (var (method, path) in new[] { (HttpMethod.Post, "/api/v1/models"), (HttpMethod.Patch, await _client.NewModelAsync()) })
        {
            var isChange = method == HttpMethod.Patch;
            if (isChange && body.Contains("kind", StringComparison.Ordinal))
            {
                continue; // a change has no kind, and unknown members are ignored
            }

            using var response = await SendAsync(method, path, Encoding.UTF8.GetBytes(body));
            var problem = await response.ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
            Assert.DoesNotContain("Headstart.", problem.ToJsonString()); // no names of our types
            Assert.DoesNotContain("System.", problem.ToJsonString());
        }
    }

    [Fact]
    public async Task A_wrong_value_in_a_body_is_named_by_its_place()
    {
        using var response = await SendAsync(HttpMethod.Post, "/api/v1/models", "{\"name\":\"x\",\n\"kind\":\"poetry\"}"u8.ToArray());
        var problem = await response.ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        Assert.Contains("$.kind, line 2", (string?)problem["detail"]);
    }

    [Fact]
    public async Task Bytes_that_are_not_utf_8_are_refused() => await (await SendAsync(
        HttpMethod.Post, "/api/v1/models", [.. "{\"name\":\""u8, 0xFF, 0xFE, .. "\"}"u8]))
        .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");

    [Fact]
    public async Task Json_nested_without_end_is_refused() => await (await SendAsync(
        HttpMethod.Post, "/api/v1/models", Encoding.UTF8.GetBytes("{\"x\":" + new string('[', 400_000))))
        .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("nonsense")]
    [InlineData("")]
    public async Task Another_media_type_is_refused(string mediaType) => await (await SendAsync(
        HttpMethod.Post, "/api/v1/models", "{\"name\":\"x\"}"u8.ToArray(), mediaType))
        .ProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_of_200_MB_is_refused_and_the_host_lives(bool chunked)
    {
        using var content = new Blanks(200 << 20, chunked) { Headers = { ContentType = new("application/json") } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/models")
        {
            Content = content,
            Headers = { ExpectContinue = !chunked }
        };
        try
        {
            using var response = await _client.SendAsync(request, Api.Cancel);
            await response.ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-large");
        }
        catch (HttpRequestException) when (chunked)
        {
            // The host answers and closes; a client that is still writing may see the end of the connection first.
        }

        await _client.GetJsonAsync("/health/ready");
    }

    [Fact]
    public async Task A_model_that_does_not_exist_is_not_found()
    {
        var path = $"/api/v1/models/{Guid.CreateVersion7()}";
        foreach (var (method, body) in new (HttpMethod, object?)[] { (HttpMethod.Get, null), (HttpMethod.Patch, new { name = "x" }),
            (HttpMethod.Delete, null) })
        {
            await (await _client.SendAsync(method, path, body)).ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
        }
    }

    [Theory]
    [InlineData("/api/v1/models/not-a-guid")]
    [InlineData("/api/v1/models/123")]
    [InlineData("/api/v1/models/..%2f..%2fetc%2fpasswd")]
    [InlineData("/api/v1/models/%F0%9F%90%88")]
    [InlineData("/api/v3/models")]
    [InlineData("/nothing/here")]
    public async Task An_address_that_does_not_exist_is_not_found(string path) =>
        await (await _client.GetAsync(path, Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "not-found");

    [Theory]
    [InlineData("PUT", "/api/v1/models")]
    [InlineData("DELETE", "/api/v1/models")]
    [InlineData("PUT", "/api/v1/backbones")]
    [InlineData("TRACE", "/api/v1/models")]
    [InlineData("NONSENSE", "/api/v1/models")]
    [InlineData("POST", "/health/ready")]
    public async Task A_method_that_an_address_does_not_take_is_refused(string method, string path) =>
        await (await _client.SendAsync(new HttpMethod(method), path)).ProblemAsync(HttpStatusCode.MethodNotAllowed, "method-not-allowed");

    private Task<HttpResponseMessage> CreateAsync(object model) => _client.PostAsync("/api/v1/models", model);

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, byte[] body, string mediaType = "application/json")
    {
        using var content = new ByteArrayContent(body);
        if (mediaType.Length > 0)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        }

        using var request = new HttpRequestMessage(method, path) { Content = content };
        return await _client.SendAsync(request, Api.Cancel);
    }
}
