using System.Text;
using System.Text.Json.Nodes;
using Headstart.Learning.Tests.Backbones;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.NanoNets;

/// <summary>A host that may fetch from this machine.</summary>
public sealed class NanoHost(TestPostgres postgres) : TestHost(postgres)
{
    protected override IEnumerable<(string Name, string Value)> Settings =>
        [("Headstart:Fetching:AllowedHosts:0", "127.0.0.1"), ("Headstart:CorsOrigins", "https://shop.example")];
}

internal static class NanoSteps
{
    public const string Categorization = "/api/v2/ImageCategorization";
    public const string MultiLabel = "/api/v2/MultiLabelClassification";
    public const string Detection = "/api/v2/ObjectDetection";

    public static Task<WireAnswer> SendAsync(this NanoHost host, byte[] request) => Wire.SendAsync(host.Address, request);

    public static async Task<JsonNode> JsonAsync(this NanoHost host, byte[] request, int status = 200) =>
        (await host.SendAsync(request)).Json(status);

    /// <summary>Asks until the model is ready, as the scripts do that print <c>status</c>.</summary>
    public static async Task<JsonNode> ReadyAsync(this NanoHost host, byte[] look)
    {
        for (var looks = 0; looks < 3_000; looks++)
        {
            var model = await host.JsonAsync(look);
            Assert.False(string.IsNullOrEmpty((string?)model["status"]));
            switch ((int)model["state"]!)
            {
                case 5: return model;
                case 3 or 4: await Task.Delay(100, Api.Cancel); continue;
                default: Assert.Fail(model.ToJsonString()); break;
            }
        }

        throw new TimeoutException("The model does not get ready.");
    }

    /// <summary>A web server of this machine with photographs.</summary>
    public static LoopbackServer Photographs(params string[] files) => new(request =>
        files.FirstOrDefault(file => Path.GetFileName(file) == Uri.UnescapeDataString(request.Path.TrimStart('/'))) is { } file
            ? SendAsync(request, File.ReadAllBytes(file)) : request.HeadAsync("404 Not Found", "Content-Length: 0"));

    public static string Address(this LoopbackServer server, string file) =>
        new Uri(server.Address, "/" + Uri.EscapeDataString(Path.GetFileName(file))).AbsoluteUri;

    /// <summary>As it stands in an urlencoded form.</summary>
    public static string Encoded(this LoopbackServer server, string file) => Uri.EscapeDataString(server.Address(file));

    public static string[] Pets(string category, int skip, int take) => [.. Tests.Pets.Of(category).Skip(skip).Take(take)];

    /// <summary>The labels of a prediction, sorted and complete; the file is named under both names.</summary>
    public static string[] Labels(this JsonNode answer, int at = 0)
    {
        var result = answer["result"]![at]!;
        Assert.Equal("Success", (string?)result["message"]);
        Assert.Equal((string?)result["file"], (string?)result["input"]);
        var probabilities = result["prediction"]!.AsArray().Select(p => (double)p!["probability"]!).ToList();
        Assert.Equal(probabilities.OrderDescending(), probabilities);
        return [.. result["prediction"]!.AsArray().Select(p => (string)p!["label"]!)];
    }

    /// <summary>Images of each category, in their order.</summary>
    public static string Counts(this JsonNode model) => string.Join(' ', model["categories"]!.AsArray().Select(c => (int)c!["count"]!));

    private static async Task SendAsync(LoopbackServer.Request request, byte[] file)
    {
        await request.HeadAsync("200 OK", $"Content-Length: {file.Length}", "Content-Type: image/jpeg");
        await request.BodyAsync(file);
    }

}
