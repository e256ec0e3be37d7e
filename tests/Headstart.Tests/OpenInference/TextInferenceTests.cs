using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Headstart.Tests.Training;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.OpenInference;

/// <summary>The Open Inference Protocol and a model of texts.</summary>
public sealed class TextInferenceTests(ToyHost host) : IClassFixture<ToyHost>
{
    private readonly HttpClient _client = host.Client;

    private string Path => $"/v2/models/{host.Model.Split('/')[^1]}";

    [Fact]
    public async Task Strings_and_UTF_8_get_the_answers_that_the_API_gives()
    {
        string[] texts = ["a moving film", "这是一个测试 👍"];
        var expected = (await _client.AskAsync(host.Model, texts))["predictions"]!.AsArray();
        var metadata = await _client.GetJsonAsync(Path);
        Assert.Equal("text BYTES", $"{metadata["inputs"]![0]!["name"]} {metadata["inputs"]![0]!["datatype"]}");
        Assert.True((bool)(await _client.GetJsonAsync($"{Path}/ready"))["ready"]!);

        var ofJson = await _client.PostAsync($"{Path}/infer",
            new { inputs = new[] { new { name = "text", datatype = "BYTES", shape = new[] { 2 }, data = texts } } });
        var elements = texts.Select(Encoding.UTF8.GetBytes).SelectMany(bytes => Length(bytes).Concat(bytes)).ToArray();
        var json = Encoding.UTF8.GetBytes($$$"""{"inputs":[{"name":"text","datatype":"BYTES","shape":[2,1],"parameters":{"binary_data_size":{{{elements.Length}}}}}]}""");
        using var binary = new ByteArrayContent([.. json, .. elements]);
        binary.Headers.Add("Inference-Header-Content-Length", $"{json.Length}");
        var ofBinary = await _client.PostAsync($"{Path}/versions/1/infer", binary, Api.Cancel);

        foreach (var answer in (JsonNode[])[await ofJson.JsonAsync(), await ofBinary.JsonAsync()])
        {
            Assert.Equal(expected.Select(p => p!.BestLabel()), Output(answer, "label").Select(label => (string)label!));
            Assert.Equal(expected.Select(p => (double)p!["labels"]![0]!["probability"]!),
                Output(answer, "probability").Select(p => (double)p!), (a, b) => Math.Abs(a - b) < 1e-5);
            Assert.Equal(expected.Select(p => (bool)p!["unknown"]!), Output(answer, "unknown").Select(unknown => (bool)unknown!));
        }
    }

    [Theory]
    [InlineData("""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["a"]}]}""", "one input named \"text\"")]
    [InlineData("""{"inputs":[{"name":"text","datatype":"UINT8","shape":[1,1,3],"data":[1,2,3]}]}""", "texts in UTF-8")]
    [InlineData("""{"inputs":[{"name":"text","datatype":"BYTES","shape":[2],"data":["a"]}]}""", "says 2 texts, but the data contains 1")]
    [InlineData("""{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":[5]}]}""", "valid Unicode")]
    [InlineData("""{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["\ud800"]}]}""", "valid Unicode")]
    [InlineData("""{"inputs":[{"name":"text","datatype":"BYTES","shape":[2],"data":["a"," "]}]}""", "Text 1: The text is empty")]
    public async Task What_is_no_text_is_an_error_with_a_sentence(string body, string words)
    {
        var answer = await (await _client.PostAsync($"{Path}/infer", TextFiles.Body(body, "application/json"), Api.Cancel))
            .JsonAsync(HttpStatusCode.BadRequest);

        Assert.Contains(words, (string)answer["error"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_refused_counts_as_no_prediction()
    {
        SharedData.Folder("datasets/text");
        var before = await UsedAsync();
        await (await _client.PostAsync($"{Path}/infer", TextFiles.Body("""{"inputs":[{"name":"text","datatype":"BYTES","shape":[2],"data":["a"," "]}]}""", "application/json"), Api.Cancel)).JsonAsync(HttpStatusCode.BadRequest);
        var named = await _client.PostAsync($"{Path}/infer", TextFiles.Body("""{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["a"]}],"outputs":[{"name":"zz"}]}""", "application/json"), Api.Cancel);

        Assert.Contains("Unknown output \"zz\"", (string)(await named.JsonAsync(HttpStatusCode.BadRequest))["error"]!);
        Assert.Equal(before, await UsedAsync());

        async Task<long> UsedAsync() => (long)(await _client.GetJsonAsync("/api/v1/usage"))["quotas"]!.AsArray()
            .Single(q => (string?)q!["quota"] == "predictionsPerDay")!["used"]!;
    }

    private static byte[] Length(byte[] bytes)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)bytes.Length);
        return length;
    }

    private static JsonArray Output(JsonNode answer, string name) =>
        answer["outputs"]!.AsArray().Single(output => (string?)output!["name"] == name)!["data"]!.AsArray();
}
