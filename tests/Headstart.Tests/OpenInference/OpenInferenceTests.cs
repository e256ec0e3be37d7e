using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.Access;
using Headstart.Tests.Predictions;

namespace Headstart.Tests.OpenInference;

/// <summary>The Open Inference Protocol as its clients speak it.</summary>
public sealed class OpenInferenceTests(TrainedHost host) : IClassFixture<TrainedHost>
{
    private readonly HttpClient _client = host.Client;

    private string Id => host.Model.Split('/')[^1];

    [Fact]
    public async Task Health_and_metadata_are_answered_without_a_key_and_models_only_with_one()
    {
        using var stranger = new HttpClient { BaseAddress = host.Address };

        Assert.True((bool)(await stranger.GetJsonAsync("/v2/health/live"))["live"]!);
        Assert.True((bool)(await stranger.GetJsonAsync("/v2/health/ready"))["ready"]!);
        var server = await stranger.GetJsonAsync("/v2");
        Assert.Equal(("headstart", "[\"binary_tensor_data\"]"), ((string?)server["name"], server["extensions"]!.ToJsonString()));
        await RefusedAsync(await stranger.GetAsync($"/v2/models/{Id}", Api.Cancel), HttpStatusCode.Unauthorized);
        await RefusedAsync(await _client.GetAsync("/v2/nothing", Api.Cancel), HttpStatusCode.NotFound);
        await RefusedAsync(await _client.DeleteAsync($"/v2/models/{Id}", Api.Cancel), HttpStatusCode.MethodNotAllowed);

        // What is refused before a handler is reached has the protocol's shape, too.
        static async Task RefusedAsync(HttpResponseMessage answer, HttpStatusCode status)
        {
            var error = await answer.JsonAsync(status);
            Assert.Equal(["error"], error.AsObject().Select(field => field.Key));
        }
    }

    [Fact]
    public async Task A_model_says_what_it_takes_and_gives_by_id_name_and_version()
    {
        var name = (string)(await _client.GetJsonAsync(host.Model))["name"]!;

        foreach (var path in new[] { Id, Uri.EscapeDataString(name), $"{Id}/versions/1" })
        {
            var metadata = await _client.GetJsonAsync($"/v2/models/{path}");
            Assert.Equal("image BYTES", $"{metadata["inputs"]![0]!["name"]} {metadata["inputs"]![0]!["datatype"]}");
            Assert.Equal(["label", "probability", "probabilities", "unknown"],
                metadata["outputs"]!.AsArray().Select(output => (string?)output!["name"]));
            Assert.Equal(["cats", "dogs"], metadata["parameters"]!["labels"]!.AsArray().Select(label => (string?)label));
            Assert.Equal(["1"], metadata["versions"]!.AsArray().Select(version => (string?)version));
            Assert.True((bool)(await _client.GetJsonAsync($"/v2/models/{path}/ready"))["ready"]!);
        }
    }

    [Fact]
    public async Task A_name_with_slashes_is_found_escaped_and_as_it_stands()
    {
        const string Name = "pets/of 2026/versions";
        var old = (string)(await _client.GetJsonAsync(host.Model))["name"]!;
        await (await _client.SendAsync(HttpMethod.Patch, host.Model, new { name = Name })).JsonAsync();
        var file = new { inputs = Input("BYTES", [1], [Convert.ToBase64String(Pets.Cat)]) };

        // As KServe's client escapes it, and as tritonclient does, for which a slash is safe.
        foreach (var name in new[] { Uri.EscapeDataString(Name), Name.Replace(" ", "%20", StringComparison.Ordinal) })
        {
            Assert.Equal(Name, (string?)(await _client.GetJsonAsync($"/v2/models/{name}"))["name"]);
            Assert.Equal(Name, (string?)(await _client.GetJsonAsync($"/v2/models/{name}/versions/1"))["name"]);
            Assert.Equal(Name, (string?)(await _client.GetJsonAsync($"/v2/models/{name}/config"))["name"]);
            Assert.True((bool)(await _client.GetJsonAsync($"/v2/models/{name}/versions/1/ready"))["ready"]!);
            foreach (var infer in new[] { "infer", "versions/1/infer" })
            {
                var answer = await (await _client.PostAsync($"/v2/models/{name}/{infer}", file)).JsonAsync();
                Assert.Equal((Name, "cats"), ((string?)answer["model_name"], (string?)Output(answer, "label").Single()));
            }
        }

        Assert.NotNull((await (await _client.PostAsync($"/v2/models/{Name}", file)).JsonAsync(HttpStatusCode.MethodNotAllowed))["error"]);
        Assert.Contains("\"no/such\"",
            (string?)(await (await _client.GetAsync("/v2/models/no/such/ready", Api.Cancel)).JsonAsync(HttpStatusCode.NotFound))["error"]);
        await (await _client.SendAsync(HttpMethod.Patch, host.Model, new { name = old })).JsonAsync();
    }

    [Fact]
    public async Task A_model_is_described_and_listed_as_by_Triton()
    {
        var name = (string)(await _client.GetJsonAsync(host.Model))["name"]!;
        var config = await _client.GetJsonAsync($"/v2/models/{Id}/config");
        Assert.Equal("""{"name":"image","data_type":"TYPE_STRING","dims":[-1]}""", config["input"]![0]!.ToJsonString());
        Assert.Equal("""{"name":"probabilities","data_type":"TYPE_FP32","dims":[-1,2]}""", config["output"]![2]!.ToJsonString());
        Assert.Equal("""["cats","dogs"]""", (string?)config["parameters"]!["labels"]!["string_value"]);
        Assert.Equal((0, "headstart"), ((int)config["max_batch_size"]!, (string?)config["backend"]));

        await _client.NewModelAsync("a", "b");
        using var nothing = new ByteArrayContent([]); // as tritonclient asks
        var all = (await (await _client.PostAsync("/v2/repository/index", nothing, Api.Cancel)).JsonAsync()).AsArray();
        Assert.Contains(all, model => (string?)model!["state"] == "UNAVAILABLE" && model["version"] is null
            && ((string?)model["reason"])!.Contains("no published version"));
        var ready = (await (await _client.PostAsync("/v2/repository/index", new { ready = true })).JsonAsync()).AsArray();
        Assert.Equal($$"""[{"name":"{{name}}","version":"1","state":"READY","reason":""}]""", ready.ToJsonString());
    }

    [Fact]
    public async Task Files_in_Base64_get_the_answers_that_the_API_gives()
    {
        var files = Pets.Dogs.TakeLast(3).ToArray();
        var expected = (await _client.PredictAsync(host.Model, files))["predictions"]!.AsArray();

        var answer = await InferAsync(new
        {
            id = "42",
            inputs = Input("BYTES", [3], files.Select(file => Convert.ToBase64String(File.ReadAllBytes(file))))
        });

        Assert.Equal(("42", Id, "1"), ((string?)answer["id"], (string?)answer["model_name"], (string?)answer["model_version"]));
        var nameless = await InferAsync(new { inputs = Input("BYTES", [1], [Convert.ToBase64String(Pets.Cat)]) });
        Assert.False(nameless.AsObject().ContainsKey("id"));
        Assert.Equal(expected.Select(p => (string?)p!["labels"]![0]!["label"]), Output(answer, "label").Select(label => (string?)label));
        Assert.Equal(expected.Select(p => (double)p!["labels"]![0]!["probability"]!), Output(answer, "probability").Select(p => (double)p!),
            (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(expected.Select(p => (bool)p!["unknown"]!), Output(answer, "unknown").Select(unknown => (bool)unknown!));
        Assert.Equal([3, 2], answer["outputs"]!.AsArray().Single(o => (string?)o!["name"] == "probabilities")!["shape"]!.AsArray()
            .Select(side => (int)side!));
    }

    [Theory]
    [InlineData("application/octet-stream")]
    [InlineData(null)] // Triton's client says none
    public async Task Tensors_in_binary_form_stand_behind_the_JSON(string? contentType)
    {
        var file = Pets.Cat;
        var json = Encoding.UTF8.GetBytes($$$"""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":{{{file.Length + 4}}}}}],"outputs":[{"name":"label","parameters":{"binary_data":true}}]}""");
        var length = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)file.Length);
        using var content = new ByteArrayContent([.. json, .. length, .. file]);
        content.Headers.ContentType = contentType is null ? null : new MediaTypeHeaderValue(contentType);
        content.Headers.Add("Inference-Header-Content-Length", $"{json.Length}");

        var answer = await (await _client.PostAsync($"/v2/models/{Id}/infer", content, Api.Cancel)).JsonAsync();

        Assert.Equal("cats", (string?)Assert.Single(Output(answer, "label")));
        Assert.Single(answer["outputs"]!.AsArray());
    }

    [Fact]
    public async Task Pixels_are_taken_as_a_photograph()
    {
        using var photograph = NetVips.Image.NewFromBuffer(Pets.Cat).ThumbnailImage(240).Colourspace(NetVips.Enums.Interpretation.Srgb);
        var pixels = photograph.WriteToMemory<byte>().Select(value => (int)value);
        long[] shape = [photograph.Height, photograph.Width, 3];

        Assert.Equal("cats", (string?)Output(await InferAsync(new { inputs = Input("UINT8", shape, pixels) }), "label").Single());
        Assert.Equal(["cats", "cats"], Output(await InferAsync(new { inputs = Input("UINT8", [2, .. shape], pixels.Concat(pixels)) }),
            "label").Select(label => (string?)label));
    }

    [Fact]
    public async Task More_JSON_than_one_file_takes_in_Base64_is_refused()
    {
        var body = new byte[70 << 20];
        body.AsSpan().Fill((byte)' ');
        Encoding.UTF8.GetBytes($$"""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["{{Convert.ToBase64String(Pets.Cat)}}"]}]}""")
            .CopyTo(body, 0);
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };

        var answer = await (await _client.PostAsync($"/v2/models/{Id}/infer", content, Api.Cancel)).JsonAsync(HttpStatusCode.BadRequest);

        Assert.Contains("as binary data", (string?)answer["error"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "not the JSON")]
    [InlineData("null", "null")]
    [InlineData("""{"inputs":[]}""", "one input named")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1]}]}""", "no data")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"BYTES","shape":[2],"data":["aaaa"]}]}""", "but the data contains 1")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["aaaa"]}]}""", "Image 0: ")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["a file?"]}]}""", "not a file in base64")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":9}}]}""", "after the JSON")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,3],"data":[1,2,256]}]}""", "0 to 255")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"UINT8","shape":[2,2,3],"data":[1,2,3]}]}""", "12 values, not 3")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"UINT8","shape":[60000,60000,3],"data":[1]}]}""", "pixels")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,3],"data":[1,2,true]}]}""", "0 to 255")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,1,3],"data":{"a":1}}]}""", "0 to 255")]
    [InlineData("""{"inputs":[null]}""", "one input named")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["aaaa"]}],"outputs":[null]}""", "output is null")]
    [InlineData("""{"inputs":[{"name":"image","datatype":"FP32","shape":[1],"data":[1]}]}""", "BYTES [n]")]
    public async Task What_cannot_be_read_is_an_error_with_a_sentence(string body, string words)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        var answer = await (await _client.PostAsync($"/v2/models/{Id}/infer", content, Api.Cancel)).JsonAsync(HttpStatusCode.BadRequest);

        Assert.Contains(words, (string?)answer["error"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_and_versions_that_are_not_there_are_errors_too()
    {
        var empty = (await _client.NewModelAsync("a", "b")).Split('/')[^1];

        Assert.NotNull((await (await _client.GetAsync("/v2/models/nothing", Api.Cancel)).JsonAsync(HttpStatusCode.NotFound))["error"]);
        Assert.NotNull((await (await _client.GetAsync($"/v2/models/{Id}/versions/7", Api.Cancel))
            .JsonAsync(HttpStatusCode.NotFound))["error"]);
        Assert.NotNull((await (await _client.GetAsync($"/v2/models/{Id}/versions/x/ready", Api.Cancel))
            .JsonAsync(HttpStatusCode.NotFound))["error"]);
        Assert.NotNull((await (await _client.GetAsync($"/v2/models/{empty}/ready", Api.Cancel))
            .JsonAsync(HttpStatusCode.Conflict))["error"]);
        using var other = await host.OtherAccountAsync();
        Assert.NotNull((await (await other.GetAsync($"/v2/models/{Id}", Api.Cancel)).JsonAsync(HttpStatusCode.NotFound))["error"]);
    }

    private static object[] Input<T>(string datatype, IEnumerable<long> shape, IEnumerable<T> data) =>
        [new { name = "image", datatype, shape, data }];

    private static JsonArray Output(JsonNode answer, string name) =>
        answer["outputs"]!.AsArray().Single(output => (string?)output!["name"] == name)!["data"]!.AsArray();

    private async Task<JsonNode> InferAsync(object request) =>
        await (await _client.PostAsync($"/v2/models/{Id}/infer", request)).JsonAsync();
}
