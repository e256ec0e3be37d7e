using System.Net;
using System.Text.Json.Nodes;
using Headstart.Hosting;
using Headstart.Learning.Tests.Onnx;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Processes;

/// <summary>Backbones that users bring themselves, over stops and starts, and by the program's verb.</summary>
public sealed class RegisteredBackboneTests
{
    [Fact]
    public async Task What_the_verb_and_the_API_register_is_there_at_the_next_start_however_the_program_ended()
    {
        Needs.Time();
        await using var host = new HostProcess();
        var net = host.Folder.Below("my net.onnx");
        await File.WriteAllBytesAsync(net, RegisterTests.Network(2), Api.Cancel);
        Assert.StartsWith("my-net is at ", await AddAsync(host, 0, net, "--std=1,1,1", "--licence", "MIT"), StringComparison.Ordinal);
        await AddAsync(host, 0, net, "--std=1,1,1", "--licence", "MIT"); // again
        var words = host.Folder.Below("My words.txt");
        await File.WriteAllTextAsync(words, RegisterTextTests.Words, Api.Cancel);
        Assert.StartsWith("words is at ", await AddAsync(host, 0, words, "--id=words"), StringComparison.Ordinal);
        Assert.Equal("The id 'words-sif' is already taken; choose another one with --id.",
            await AddAsync(host, 1, words, "--id=words-sif"));
        await File.WriteAllTextAsync(words, "good 1\n", Api.Cancel);
        Assert.Equal("My words.txt cannot be read as word vectors: line 1 has 1 values.", await AddAsync(host, 1, words));

        await host.StartAsync();

        Assert.Equal(("MIT", true), ((string?)(await OneAsync(host, "my-net"))["licence"],
            (bool?)(await OneAsync(host, "my-net"))["registered"]));
        Assert.Equal((3, true), ((int?)(await host.Client.TextBackboneAsync("words"))!["features"],
            (bool?)(await host.Client.TextBackboneAsync("words"))!["registered"]));
        var before = await (await host.Client.RegisterAsync(RegisterTests.Network(1), "ours.onnx", ("mean", "0,0,0")))
            .JsonAsync(HttpStatusCode.Created);
        await host.KillAsync();

        await host.StartAsync();

        var after = await OneAsync(host, "ours");
        Assert.Equal((true, (string?)before["sha256"], (double?)before["memoryPerImageMb"]),
            ((bool?)after["registered"], (string?)after["sha256"], (double?)after["memoryPerImageMb"]));
        Assert.Equal("ours", (string?)(await (await host.Client.RegisterAsync(RegisterTests.Network(1), "ours.onnx", ("mean", "0,0,0")))
            .JsonAsync())["id"]);
        Assert.Equal(HttpStatusCode.NoContent, (await host.Client.DeleteAsync("/api/v1/backbones/ours", Api.Cancel)).StatusCode);
    }

    [Fact]
    public async Task The_verb_refuses_in_one_sentence_and_leaves_nothing()
    {
        await using var host = new HostProcess();
        var file = host.Folder.Below("net.onnx");
        foreach (var (bytes, because) in new[] { OddNetworks.Refused["half a file"], (RegisterTests.Network(1), "'size' is 99") })
        {
            await File.WriteAllBytesAsync(file, bytes, Api.Cancel);
            var (exitCode, output) = await host.RunAsync("backbones", "add", file, "--size=99");
            Assert.Equal(1, exitCode);
            var sentence = Assert.Single(output.Trim().Split('\n'));
            Assert.StartsWith("net.onnx cannot be used as a backbone: ", sentence, StringComparison.Ordinal);
            Assert.Contains(because, sentence, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(Path.Combine(host.DataFolder, "backbones", "registered")));
    }

    private static async Task<string> AddAsync(HostProcess host, int expected, params string[] arguments)
    {
        var (exitCode, output) = await host.RunAsync(["backbones", "add", .. arguments]);
        Assert.True(exitCode == expected, output);
        return output.Trim();
    }

    private static async Task<JsonNode> OneAsync(HostProcess host, string id) =>
        (await host.Client.BackbonesAsync()).Single(backbone => (string?)backbone["id"] == id);
}
