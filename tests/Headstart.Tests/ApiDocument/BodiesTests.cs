using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Predictions;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.ApiDocument;

/// <summary>What the OpenAPI document promises about bodies: a path for each kind, and no field that is silently ignored.</summary>
public sealed class BodiesTests(TrainedHost host) : IClassFixture<TrainedHost>
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Images_are_added_at_once_on_the_path_of_their_kind_of_body()
    {
        var model = await _client.NewModelAsync("cats");

        foreach (var (path, body) in Kinds(from: 1))
        {
            var answer = await (await _client.PostAsync($"{model}/images{path}", body, Api.Cancel)).JsonAsync();
            Assert.Equal("cats", (string?)answer["accepted"]![0]!["category"]);
        }

        var plan = await (await _client.PostAsync($"{model}/images/archive/dry-run", Archive(9), Api.Cancel)).JsonAsync();
        Assert.Equal(1, (int)plan["examples"]!);
        Assert.Equal(4, (int)(await _client.GetJsonAsync(model))["categories"]![0]!["imageCount"]!);
    }

    [Fact]
    public async Task Below_imports_the_same_bodies_are_taken_in_the_background_and_once_for_a_key()
    {
        var model = await _client.NewModelAsync("cats");

        foreach (var (path, body) in Kinds(from: 11))
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{model}/imports{(path.Length > 0 ? path : "/files")}");
            (request.Content, var key) = (body, $"key {path}");
            request.Headers.Add("Idempotency-Key", key);
            var import = await (await _client.SendAsync(request, Api.Cancel)).JsonAsync(HttpStatusCode.Accepted);
            using var again = new HttpRequestMessage(HttpMethod.Post, $"{model}/imports/archive") { Content = Archive(99) };
            again.Headers.Add("Idempotency-Key", key);
            Assert.Equal((string?)import["id"],
                (string?)(await (await _client.SendAsync(again, Api.Cancel)).JsonAsync(HttpStatusCode.Accepted))["id"]);
            Assert.Equal((1, 0), ((int)(import = await _client.EndOfImportAsync(model, import))["accepted"]!, (int)import["rejected"]!));
        }
    }

    [Fact]
    public async Task An_image_as_the_body_is_predicted_as_in_a_form()
    {
        var form = (await _client.PredictAsync(host.Model, Pets.Cats[0]))["predictions"]![0]!["labels"]!;

        var raw = await (await _client.PostAsync($"{host.Model}/predictions/image", Api.Raw(Pets.Cat, "application/octet-stream"),
            Api.Cancel)).JsonAsync();

        Assert.True(JsonNode.DeepEquals(form, raw["predictions"]![0]!["labels"]));
    }

    [Theory]
    [InlineData("/api/v1/models", """{"nam":"x"}""", "name")]
    [InlineData("{model}/training-runs", """{"backbon":"headstart-small"}""", "backbone")]
    [InlineData("{model}/predictions/list", """{"url":["http://127.0.0.1:1/"]}""", "urls")]
    [InlineData("/api/v1/keys", """{"name":"x","scope":["read"]}""", "scopes")]
    public async Task A_field_that_does_not_exist_is_refused_with_the_one_that_is_meant(string path, string body, string meant)
    {
        var before = await StateAsync();

        var answer = await _client.PostAsync(path.Replace("{model}", host.Model, StringComparison.Ordinal),
            UploadCalls.Body("application/json", body), Api.Cancel);

        var problem = await answer.ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        Assert.Contains($"did you mean \"{meant}\"?", (string?)problem["detail"]);
        Assert.Equal(before, await StateAsync());
    }

    [Theory]
    [InlineData("/api/v1/models", """{"name":"x","kind":"imageClasification"}""",
        "$.kind, line 1, byte 40, where one of imageClassification, multiLabelImageClassification, textClassification, objectDetection "
            + "is expected")]
    [InlineData("/api/v1/models", """{"name":"x","categories":"cats"}""", "where a list is expected")]
    [InlineData("/api/v1/models", """{"name":"x","name":"y"}""", "the field \"name\" twice")]
    [InlineData("/api/v1/keys", """{"name":5}""", "where a string is expected")]
    [InlineData("/api/v1/keys", """{"name":"x","expiresAt":"tomorrow"}""", "where a time such as 2030-01-31T00:00:00Z is expected")]
    [InlineData("{model}/training-runs", """{"maxLatencyMs":"fast"}""", "where a number is expected")]
    public async Task A_value_that_does_not_fit_is_refused_with_what_would(string path, string body, string meant)
    {
        var answer = await _client.PostAsync(path.Replace("{model}", host.Model, StringComparison.Ordinal),
            UploadCalls.Body("application/json", body), Api.Cancel);

        Assert.Contains(meant, (string?)(await answer.ProblemAsync(HttpStatusCode.BadRequest, "bad-request"))["detail"]);
    }

    [Theory]
    [InlineData("application/json", """{"images":[{"base64":"$","categroy":"cats"}]}""", "category")]
    [InlineData("application/json", """{"images":[{"base64":"$","category":"cats","splitt":"test"}]}""", "split")]
    [InlineData("application/jsonl", """{"base64":"$","label":"cats","confirmd":true}""", "confirmed")]
    public async Task An_image_with_a_field_that_is_nearly_ours_is_not_taken_without_it(string type, string list, string meant)
    {
        var model = await _client.NewModelAsync("cats");

        var answer = await _client.PostAsync($"{model}/images", UploadCalls.Body(type,
            list.Replace("$", Convert.ToBase64String(Pictures.Jpeg(1)), StringComparison.Ordinal)), Api.Cancel);

        var problem = await answer.ProblemAsync(HttpStatusCode.UnprocessableEntity, "nothing-accepted");
        Assert.Equal("unknown-field", (string?)problem["rejected"]![0]!["reason"]);
        Assert.EndsWith($"did you mean \"{meant}\"? It was left out.", (string?)problem["rejected"]![0]!["detail"]);
    }

    [Fact]
    public async Task Texts_and_forms_with_a_field_that_is_nearly_ours_are_not_taken_without_it()
    {
        var texts = await _client.NewTextModelAsync();
        var taken = await (await _client.PostAsync($"{texts}/texts", UploadCalls.Body("application/json",
            """{"texts":[{"text":"one","categroy":"good"},{"text":"two","plot":"of another program"}]}"""), Api.Cancel)).JsonAsync();
        Assert.Equal(("unknown-field", "two"),
            ((string?)taken["rejected"]!.AsArray().Single()!["reason"], (string?)taken["accepted"]!.AsArray().Single()!["text"]));

        var images = await _client.NewModelAsync("cats", "dogs");
        using var form = new Form().Field("category", "cats").File("a.jpg", Pictures.Jpeg(1)).Field("catgory", "dogs")
            .File("b.jpg", Pictures.Jpeg(2)).Content();
        var problem = await (await _client.PostAsync($"{images}/images", form, Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unknown-field");
        Assert.StartsWith("The form has a field \"catgory\"; did you mean \"category\"?", (string?)problem["detail"]);
        Assert.True((int)(await _client.GetJsonAsync(images))["categories"]![0]!["imageCount"]! <= 1);
    }

    [Theory]
    [InlineData("""{"inputs":[{"name":"image","datatype":"BYTES","shape":"one","data":[]}]}""",
        "where a list is expected; ")]
    [InlineData("\u00FF\u00D8\u00FF\u00E0 as a JPEG begins", "it begins like UTF-16 or a file.")]
    public async Task An_inference_request_that_is_not_the_JSON_of_one_is_refused_with_what_to_do(string body, string why)
    {
        var model = host.Model.Split('/')[^1];

        var answer = await _client.PostAsync($"/v2/models/{model}/infer", Api.Raw(Encoding.Latin1.GetBytes(body),
            "application/octet-stream"), Api.Cancel);

        var error = (string)(await answer.JsonAsync(HttpStatusCode.BadRequest))["error"]!;
        Assert.Contains(why, error);
        Assert.EndsWith("If the whole body is one image, say so with Inference-Header-Content-Length: 0.", error);
    }

    private async Task<string> StateAsync()
    {
        var answers = new List<string>();
        foreach (var list in new[] { "/api/v1/models", "/api/v1/keys", $"{host.Model}/training-runs" })
        {
            var rows = (await _client.GetJsonAsync($"{list}?limit=200"))["items"]!.AsArray();
            answers.Add(string.Join(' ', rows.Select(row => row!["id"])));
        }

        return string.Join('\n', answers);
    }

    private static IEnumerable<(string Path, HttpContent Body)> Kinds(int from) =>
    [
        ("", Api.Form("cats", ("a.jpg", Pictures.Jpeg(from)))),
        ("/archive", Archive(from + 1)),
        ("/list", UploadCalls.Body("application/json", $$"""{"images":[{{Row(from + 2)}}]}""")),
        ("/table", UploadCalls.Body("application/jsonl", Row(from + 3))),
    ];

    private static string Row(int seed) => $$"""{"base64":"{{Convert.ToBase64String(Pictures.Jpeg(seed))}}","category":"cats"}""";

    private static ByteArrayContent Archive(int seed) =>
        UploadCalls.Body("application/zip", Batches.Zip(("cats/a.jpg", Pictures.Jpeg(seed))));
}
