using System.Net;
using Headstart.Learning.Tests.Onnx;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Processes;

/// <summary>Backbones that users bring themselves, over stops and starts, and by the program's verb.</summary>
public sealed class RegisteredBackboneTests
{
    [Fact]
    public async Task A_registered_backbone_survives_the_end_of_the_program_however_it_ends()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        var before = await (await host.Client.RegisterAsync(RegisterTests.Network(1), "ours.onnx", ("mean", "0,0,0"))).JsonAsync(HttpStatusCode.Created);
        await host.KillAsync();

        await host.StartAsync();

        var after = (await host.Client.BackbonesAsync())[0];
        Assert.Equal(("ours", true), ((string?)after["id"], (bool?)after["registered"]));
        Assert.Equal((string?)before["sha256"], (string?)after["sha256"]);
        Assert.Equal((double?)before["memoryPerImageMb"], (double?)after["memoryPerImageMb"]);
        var again = await (await host.Client.RegisterAsync(RegisterTests.Network(1), "ours.onnx", ("mean", "0,0,0"))).JsonAsync();
        Assert.Equal("ours", (string?)again["id"]);
        Assert.Equal(HttpStatusCode.NoContent, (await host.Client.DeleteAsync("/api/v1/backbones/ours", Api.Cancel)).StatusCode);
    }

    [Fact]
    public async Task The_verb_adds_a_file_for_the_next_start()
    {
        await using var host = new HostProcess();
        var file = host.Folder.Below("my net.onnx");
        await File.WriteAllBytesAsync(file, RegisterTests.Network(1), Api.Cancel);
        var (exitCode, output) = await host.RunAsync("backbones", "add", file, "--std=1,1,1", "--licence", "MIT");
        Assert.Equal(0, exitCode);
        Assert.StartsWith("my-net is at ", output, StringComparison.Ordinal);
        Assert.Equal(0, (await host.RunAsync("backbones", "add", file, "--std=1,1,1", "--licence", "MIT")).ExitCode);

        await host.StartAsync();

        var backbone = (await host.Client.BackbonesAsync())[0];
        Assert.Equal(("my-net", "MIT", true), ((string?)backbone["id"], (string?)backbone["licence"], (bool?)backbone["registered"]));
    }

    [Fact]
    public async Task The_verb_adds_word_vectors_too()
    {
        await using var host = new HostProcess();
        var file = host.Folder.Below("My words.txt");
        await File.WriteAllTextAsync(file, RegisterTextTests.Words, Api.Cancel);
        Assert.StartsWith("words is at ", (await host.RunAsync("backbones", "add", file, "--id=words")).Output, StringComparison.Ordinal);
        Assert.Equal((1, "Other features for texts may be called 'words-sif' already; give this one another id with --id."), await RefusedAsync(host, file, "--id=words-sif"));
        await File.WriteAllTextAsync(file, "good 1\n", Api.Cancel);
        Assert.Equal((1, "My words.txt cannot be read as word vectors: line 1 has 1 values."), await RefusedAsync(host, file));

        await host.StartAsync();

        Assert.Equal((3, true), ((int?)(await host.Client.TextBackboneAsync("words"))!["features"], (bool?)(await host.Client.TextBackboneAsync("words"))!["registered"]));

        static async Task<(int, string)> RefusedAsync(HostProcess host, params string[] arguments)
        {
            var (exitCode, output) = await host.RunAsync(["backbones", "add", .. arguments]);
            return (exitCode, output.Trim());
        }
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
}
