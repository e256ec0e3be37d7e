using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Headstart.Data;
using Headstart.Learning.Tests.Backbones;
using Headstart.Tests.Postgres;

namespace Headstart.Tests;

/// <summary>The main job of the README is one real run: its commands work as they stand, and what it shows is what they answer.</summary>
[Collection<HostingHost>]
public sealed partial class ReadmeTests(TestHost host)
{
    /// <summary>HEADSTART_UPDATE_README=1 puts the answer of this run into the README.</summary>
    [Fact]
    public async Task The_main_job_runs_as_it_is_written_and_answers_as_it_is_shown()
    {
        Needs.Programs("bash", "curl");
        var file = Repository.PathOf("README.md");
        var readme = await File.ReadAllTextAsync(file, Api.Cancel);
        var job = MainJob().Match(readme);
        Assert.True(job.Success, "The README has no section \"The main job in curl\" with a block of commands and a block of JSON.");
        using var folder = new TemporaryFolder();
        Lay(folder.Below("cats"), Pets.Cats[..^1]);
        Lay(folder.Below("dogs"), Pets.Dogs[..^1]);
        File.Copy(Pets.Cats[^1], folder.Below("cat.jpeg"));
        File.Copy(Pets.Dogs[^1], folder.Below("dog.jpeg"));

        var commands = Host().Replace(Key().Replace(job.Groups["commands"].Value, $"KEY={TestHost.Key}"), $"API={host.Address}api/v1");
        var answer = JsonNode.Parse(await RunAsync(commands, folder.Path))!;

        Assert.Contains("\"state\":\"succeeded\"", (await File.ReadAllTextAsync(folder.Below("events.txt"), Api.Cancel))
            .Split("data: ")[^1]);
        Assert.StartsWith("<!DOCTYPE html>", await File.ReadAllTextAsync(folder.Below("report.html"), Api.Cancel),
            StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["cats", "dogs"], answer["predictions"]!.AsArray().Select(prediction => (string?)prediction!["labels"]![0]!["label"]));
        if (Environment.GetEnvironmentVariable("HEADSTART_UPDATE_README") == "1")
        {
            var shown = job.Groups["answer"];
            await File.WriteAllTextAsync(file, readme[..shown.Index] + answer.ToJsonString() + "\n"
                + readme[(shown.Index + shown.Length)..], Api.Cancel);
        }
        else
        {
            Assert.Equal(Shape(JsonNode.Parse(job.Groups["answer"].Value)), Shape(answer));
        }
    }

    private static void Lay(string folder, IEnumerable<string> photographs)
    {
        Directory.CreateDirectory(folder);
        foreach (var photograph in photographs)
        {
            File.Copy(photograph, Path.Combine(folder, Path.GetFileName(photograph)));
        }
    }

    private static async Task<string> RunAsync(string commands, string folder)
    {
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", commands])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        using var bash = Process.Start(start)!;
        var (output, errors) = (bash.StandardOutput.ReadToEndAsync(Api.Cancel), bash.StandardError.ReadToEndAsync(Api.Cancel));
        await bash.WaitForExitAsync(Api.Cancel);
        Assert.True(bash.ExitCode == 0, await errors);
        return await output;
    }

    /// <summary>Names and kinds of values, without the values.</summary>
    private static string Shape(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject o => $"{{{string.Join(",", o.Select(property => $"{property.Key}:{Shape(property.Value)}"))}}}",
        JsonArray a => $"[{string.Join(",", a.Select(Shape))}]",
        _ => node.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? "boolean" : node.GetValueKind().ToString(),
    };

    [GeneratedRegex(@"\n## The main job in curl\n.*?\n```sh\n(?<commands>.*?)\n```\n.*?```json\n(?<answer>.*?)(?=```)",
        RegexOptions.Singleline)]
    private static partial Regex MainJob();

    [GeneratedRegex(@"^KEY=\S+", RegexOptions.Multiline)]
    private static partial Regex Key();

    [GeneratedRegex(@"^API=\S+", RegexOptions.Multiline)]
    private static partial Regex Host();
}
