using System.Net;
using System.Text.Json.Nodes;
using Headstart.Learning.Tests.Onnx;
using Headstart.Tests.Access;
using Headstart.Tests.Postgres;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Backbones;

/// <summary>Backbones that users bring themselves, through the door that is open to them.</summary>
public sealed class RegisterTests(RegisterTests.Host host) : IClassFixture<RegisterTests.Host>
{
    private readonly HttpClient _client = host.Client;

    public static TheoryData<string> RefusedFiles => [.. OddNetworks.Refused.Keys];

    [Fact]
    public async Task A_registered_backbone_is_measured_trains_at_once_and_stays_as_long_as_a_version_needs_it()
    {
        var answer = await _client.RegisterAsync(Network(1), "Ours.onnx", ("mean", "0, 0, 0"), ("std", "1,1,1"), ("licence", "MIT"),
            ("source", "us"));

        var backbone = await answer.JsonAsync(HttpStatusCode.Created);
        Assert.Equal("/api/v1/backbones/ours", answer.Headers.Location?.ToString());
        Assert.Equal(("ours", 6, TinyNetwork.Side, "MIT", "us"),
            ((string?)backbone["id"], (int?)backbone["features"], (int?)backbone["inputSize"], (string?)backbone["licence"],
                (string?)backbone["source"]));
        Assert.Equal((true, true), ((bool?)backbone["present"], (bool?)backbone["registered"]));
        Assert.True((double)backbone["msPerImage"]! >= 0 && (double)backbone["memoryPerImageMb"]! >= 0);
        Assert.Equal(backbone.ToJsonString(), (await _client.GetJsonAsync("/api/v1/backbones/ours")).ToJsonString());
        Assert.Contains("ours", (await _client.BackbonesAsync()).Select(b => (string?)b["id"]));

        var model = await ModelAsync();
        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(model, new { backbone = "ours" }))["state"]);
        using var form = Api.Form(null, ("a.jpg", Pictures.Jpeg(1)));
        Assert.Equal(2, (await (await _client.PostAsync($"{model}/predictions", form, Api.Cancel))
            .JsonAsync())["predictions"]![0]!["labels"]!.AsArray().Count);

        await (await _client.DeleteAsync("/api/v1/backbones/ours", Api.Cancel)).ProblemAsync(HttpStatusCode.Conflict, "backbone-in-use");
        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(model, new { backbone = "ours" }))["state"]);
        await _client.DeleteAsync(model, Api.Cancel);
        Assert.Equal(HttpStatusCode.NoContent, (await _client.DeleteAsync("/api/v1/backbones/ours", Api.Cancel)).StatusCode);
        await (await _client.GetAsync("/api/v1/backbones/ours", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "backbone-not-found");
        await (await _client.DeleteAsync("/api/v1/backbones/ours", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "backbone-not-found");
        Assert.DoesNotContain(Files(), f => f.StartsWith("ours.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_transformer_is_registered_with_what_becomes_of_its_tokens()
    {
        var n = new TinyNetwork();
        var file = n.Bytes(n.Norm(n.Tokens(), 6), -1, 16, 6);

        var asked = await (await _client.RegisterAsync(file, "vit.onnx")).ProblemAsync(HttpStatusCode.UnprocessableEntity,
            "unusable-backbone");
        Assert.Contains("set 'pooling' to", (string?)asked["detail"], StringComparison.Ordinal);
        var odd = await (await _client.RegisterAsync(file, "vit.onnx", ("pooling", "max"))).ProblemAsync(
            HttpStatusCode.UnprocessableEntity, "invalid-field");
        Assert.Contains("'pooling' must be none or cls or mean.", (string?)odd["detail"], StringComparison.Ordinal);

        var vit = await (await _client.RegisterAsync(file, "vit.onnx", ("pooling", "cls"), ("channels", "BGR"))).JsonAsync(
            HttpStatusCode.Created);
        Assert.Equal(6, (int)vit["features"]!);
        await _client.DeleteAsync("/api/v1/backbones/vit", Api.Cancel);
    }

    [Fact]
    public async Task The_same_file_again_is_the_same_backbone_and_another_one_does_not_take_its_id()
    {
        var first = await (await _client.RegisterAsync(Network(2), "same.onnx")).JsonAsync(HttpStatusCode.Created);

        var again = await (await _client.RegisterAsync(Network(2), "other name.onnx")).JsonAsync();
        var renamed = await (await _client.RegisterAsync(Network(2), "same.onnx", ("id", "same-by-another-name")))
            .JsonAsync(HttpStatusCode.Created);
        var other = await _client.RegisterAsync(Network(3), "same.onnx");
        var otherMean = await _client.RegisterAsync(Network(2), "same.onnx", ("id", "same"), ("mean", "0.5,0.5,0.5"));

        Assert.Equal(first.ToJsonString(), again.ToJsonString());
        Assert.Equal((string?)first["sha256"], (string?)renamed["sha256"]);
        await other.ProblemAsync(HttpStatusCode.Conflict, "backbone-exists");
        await otherMean.ProblemAsync(HttpStatusCode.Conflict, "backbone-exists");
        await (await _client.RegisterAsync(Network(2), "resnet18.onnx", ("id", "resnet18")))
            .ProblemAsync(HttpStatusCode.Conflict, "backbone-exists");
        Assert.Equal((string?)first["sha256"], (string?)(await _client.GetJsonAsync("/api/v1/backbones/same"))["sha256"]);
    }

    [Fact]
    public async Task Many_who_register_the_same_file_at_once_get_the_same_backbone()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _client.RegisterAsync(Network(4), "popular.onnx")));

        Assert.Equal(1, answers.Count(a => a.StatusCode == HttpStatusCode.Created));
        Assert.All(answers, a => Assert.True(a.IsSuccessStatusCode));
        Assert.Single(await _client.BackbonesAsync(), b => (string?)b["id"] == "popular");
    }

    [Theory]
    [MemberData(nameof(RefusedFiles))]
    public async Task A_file_that_cannot_be_a_backbone_is_refused_with_a_sentence_and_leaves_nothing(string what)
    {
        var (file, because) = OddNetworks.Refused[what];
        var before = Files();

        var problem = await (await _client.RegisterAsync(file, "refused.onnx"))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unusable-backbone");

        Assert.StartsWith("refused.onnx cannot be used as a backbone: ", (string?)problem["detail"]);
        Assert.Contains(because, (string?)problem["detail"]);
        Assert.Empty(Files().Except(before)); // files of deleted backbones may have gone meanwhile
        await (await _client.GetAsync("/api/v1/backbones/refused", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "backbone-not-found");
    }

    [Fact]
    public async Task A_size_that_is_not_the_files_and_fields_that_cannot_be_read_are_refused()
    {
        await (await _client.RegisterAsync(Network(5), "x.onnx", ("size", "32")))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unusable-backbone");
        await (await _client.RegisterAsync(Network(5), "x.onnx", ("id", "../../x")))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "unusable-backbone");
        foreach (var (name, value) in new[] { ("size", "large"), ("mean", "0.5"), ("std", "1,1,0"), ("mean", "NaN,0,0"), ("sise", "16"),
            ("id", new string('x', 5_000)) })
        {
            await (await _client.RegisterAsync(Network(5), "x.onnx", (name, value)))
                .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-field");
        }

        Assert.Equal(HttpStatusCode.Created, (await _client.RegisterAsync(
            OddNetworks.WithInput(1, 3, -1, -1), "dynamic.onnx", ("size", "32"))).StatusCode);
    }

    [Fact]
    public async Task Forms_without_a_file_with_two_or_too_large_and_bodies_that_are_none_are_refused()
    {
        using var none = Api.Form(null);
        none.Add(new StringContent("16"), "size");
        using var two = Api.Form(null, ("a.onnx", Network(6)), ("b.onnx", Network(7)));
        var broken = new Form().File("a.onnx", Network(6)).Unfinished[..^50];

        await (await _client.PostAsync(Register.Path, none, Api.Cancel)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "no-file");
        await (await _client.PostAsync(Register.Path, two, Api.Cancel)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-field");
        await (await _client.RegisterAsync(new byte[Host.Limit + 1])).ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-large");
        await (await _client.PostAsync(Register.Path, Form.Of(broken), Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        await (await _client.PostAsync(Register.Path, Api.Raw(Network(6)), Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
        Assert.DoesNotContain(Files(), f => f.StartsWith("a.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Only_an_admin_key_registers_and_deletes()
    {
        var (_, key) = await host.NewKeyAsync(admin: false);
        using var client = host.ClientWith(key);

        await (await client.RegisterAsync(Network(8))).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        await (await client.DeleteAsync("/api/v1/backbones/anything", Api.Cancel)).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        Assert.NotEmpty(await client.BackbonesAsync());
    }

    /// <summary>A small network, another one for each number.</summary>
    internal static byte[] Network(int number) => OddNetworks.Classifier(n => n.Model.Graph.Name = $"network {number}");

    private async Task<string> ModelAsync()
    {
        var model = await _client.NewModelAsync("noise", "other");
        await _client.AddAsync(model, "noise", [.. Enumerable.Range(0, 4).Select(i => Pictures.Jpeg(i))]);
        await _client.AddAsync(model, "other", [.. Enumerable.Range(10, 4).Select(i => Pictures.Jpeg(i, 64, 64))]);
        return model;
    }

    private List<string> Files() =>
        [.. Directory.GetFiles(Path.Combine(host.DataFolder, "backbones", "registered")).Select(f => Path.GetFileName(f))
            .Order(StringComparer.Ordinal)];

    public sealed class Host(TestPostgres postgres) : TestHost(postgres)
    {
        public const int Limit = 100_000;

        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:Backbones:MaxUploadBytes", $"{Limit}")];
    }
}
