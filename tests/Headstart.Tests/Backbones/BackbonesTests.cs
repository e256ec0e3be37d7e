using System.Net;
using System.Security.Cryptography;

namespace Headstart.Tests.Backbones;

public sealed class BackbonesTests(HostWithRealBackbones host) : IClassFixture<HostWithRealBackbones>
{
    [Fact]
    public async Task The_list_says_what_each_backbone_is_and_costs_here_the_fastest_first()
    {
        var all = (await host.Client.GetJsonAsync("/api/v1/backbones"))["items"]!.AsArray();
        var items = all.TakeWhile(b => (bool)b!["present"]!).ToList();

        Assert.Contains("mobilenetv2-1.0", items.Select(b => (string?)b!["id"]));
        Assert.All(items, b => Assert.Equal(
            ["id", "family", "features", "inputSize", "bytes", "sha256", "publishedAccuracy", "source", "licence", "present", "msPerImage",
            "memoryPerImageMb", "registered", "state", "bytesFetched", "problem", "space", "eightBit"],
            b!.AsObject().Select(p => p.Key)));
        Assert.All(items, b =>
        {
            Assert.Matches("^[0-9a-f]{64}$", (string?)b!["sha256"]);
            Assert.True((int)b["features"]! > 0 && (long)b["bytes"]! > 0 && (double)b["msPerImage"]! > 0);
        });
        var times = items.Select(b => (double)b!["msPerImage"]!).ToList();
        Assert.Equal(times.Order(), times);
        Assert.All(all.Skip(items.Count), b => Assert.Equal((false, null), ((bool)b!["present"]!, (double?)b["msPerImage"])));
    }

    [Fact]
    public async Task Backbones_for_texts_are_listed_with_what_a_run_may_call_them()
    {
        var file = Path.Combine(SharedData.Folder("backbones/text"), "glove-100d-10k.txt.gz");

        var all = (await host.Client.GetJsonAsync("/api/v1/text-backbones"))["items"]!.AsArray();

        var glove = all.Single(b => (string?)b!["id"] == "glove-100d-10k")!;
        Assert.Equal(("wordVectors", 100, true), ((string?)glove["kind"], (int?)glove["features"], (bool)glove["present"]!));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))), (string?)glove["sha256"]);
        Assert.Equal(["glove-100d-10k-tuned", "glove-100d-10k-tuned-sif", "glove-100d-10k-tuned+tfidf", "glove-100d-10k",
            "glove-100d-10k-sif", "glove-100d-10k+tfidf"],
            glove["usedAs"]!.AsArray().Select(id => (string?)id));
        Assert.Contains("'backbones fetch all-MiniLM-L6-v2', or copy model.onnx and vocab.txt into",
            (string?)all.Single(b => (string?)b!["id"] == "all-MiniLM-L6-v2")!["problem"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_needs_a_key()
    {
        SharedData.Folder("backbones");
        await (await host.ClientWith(null).GetAsync("/api/v1/backbones", Api.Cancel))
            .ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
    }
}
