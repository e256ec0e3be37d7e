using System.Net;
using System.Text.Json.Nodes;
using Headstart.Learning.Imaging;
using Headstart.Learning.Tests.Onnx;
using Headstart.Tests.Backbones;
using Headstart.Tests.Uploads;
using NetVips;

namespace Headstart.Tests.Predictions;

[Collection<PredictionsHost>]
public sealed class ExplanationTests(TrainedHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task A_prediction_says_where_it_sees_the_most_probable_label()
    {
        var photo = Pets.Cat;
        Assert.Null(ImageReader.Check(photo, new ImageLimits(), out var size));

        var prediction = (await PredictAsync(host.Model, "?explain=true", photo)).Single()!;

        var explanation = prediction["explanation"]!;
        Assert.Equal(["label", "mediaType", "data", "detail"], explanation.AsObject().Select(p => p.Key));
        Assert.Equal(((string?)prediction["labels"]![0]!["label"], "image/png", null),
            ((string?)explanation["label"], (string?)explanation["mediaType"], (string?)explanation["detail"]));
        using var png = Image.PngloadBuffer(Convert.FromBase64String((string)explanation["data"]!));
        Assert.Equal(3, png.Bands);
        Assert.Equal((double)size!.Width / size.Height, (double)png.Width / png.Height, 0.02);
        Assert.True(png.Avg() > 0); // decodes to its end
    }

    [Fact]
    public async Task An_explained_answer_is_the_same_answer()
    {
        var plain = (await PredictAsync(host.Model, "", Pets.Cat)).Single()!;
        var explained = (await PredictAsync(host.Model, "?explain=true", Pets.Cat)).Single()!;

        Assert.Equal(plain["labels"]!.ToJsonString(), explained["labels"]!.ToJsonString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("?explain=false")]
    public async Task Nobody_gets_a_picture_who_did_not_ask(string query) =>
        Assert.Null((await PredictAsync(host.Model, query, Pets.Cat)).Single()!["explanation"]);

    [Fact]
    public async Task Each_file_has_a_picture_of_its_own_and_an_unreadable_one_has_none()
    {
        var predictions = await PredictAsync(host.Model, "?explain=true&top=1", Pets.Cat, "no image"u8.ToArray(),
            Pictures.Jpeg(1, 600, 300));

        Assert.Equal([true, false, true], predictions.Select(p => p!["explanation"] is not null));
        Assert.NotEqual((string?)predictions[0]!["explanation"]!["data"], (string?)predictions[2]!["explanation"]!["data"]);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("1")]
    public async Task What_is_neither_true_nor_false_is_refused(string value)
    {
        var problem = await (await _client.PostAsync($"{host.Model}/predictions?explain={value}", Api.Raw(Pets.Cat), Api.Cancel))
            .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");

        Assert.Contains($"\"{value}\" of explain", (string?)problem["detail"]);
    }

    [Fact]
    public async Task Where_the_backbone_has_no_feature_map_the_answer_says_so()
    {
        var n = new TinyNetwork();
        var transformer = n.Bytes(n.Op("Gather", [n.Norm(n.Tokens(), 6), n.Integers([0], [])], ("axis", 1L)), -1, 6);
        await (await _client.RegisterAsync(transformer, "transformer.onnx")).JsonAsync(HttpStatusCode.Created);
        var model = await _client.PetsAsync(4);
        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(model, new { backbone = "transformer" }))["state"]);

        var explanation = (await PredictAsync(model, "?explain=true", Pets.Cat)).Single()!["explanation"]!;

        Assert.Equal((null, null), ((string?)explanation["mediaType"], (string?)explanation["data"]));
        Assert.StartsWith("No heat map: the backbone transformer has no feature map", (string?)explanation["detail"]);
    }

    private async Task<JsonArray> PredictAsync(string model, string query, params byte[][] files)
    {
        using var form = Api.Form(null, files.Select((bytes, i) => ($"{i}.jpg", bytes)));
        return (await (await _client.PostAsync($"{model}/predictions{query}", form, Api.Cancel)).JsonAsync())["predictions"]!.AsArray();
    }
}
