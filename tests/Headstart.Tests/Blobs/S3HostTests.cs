using System.IO.Compression;
using System.Net;
using System.Text.Json.Nodes;
using Headstart.Hosting;
using Headstart.Tests.Processes;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Blobs;

/// <summary>The whole program with its blobs in a bucket.</summary>
public sealed class S3HostTests(S3Server server) : IClassFixture<S3Server>
{
    [Fact]
    public async Task Photographs_are_taken_learned_and_reported_on_and_a_store_that_is_away_costs_time_and_nothing_else()
    {
        Needs.Time();
        S3Server.Needed();
        await using var own = new S3Server();
        await own.StartAsync();
        await using var host = Host(own);
        await host.StartAsync();
        var model = await host.Client.PetsAsync(20);
        var import = await host.Client.ImportAsync(model, Api.Raw(Zip(Pets.Cats[^3..]), "application/zip"), "?async=true");
        Assert.Equal(("succeeded", 3), ((string?)import["state"], (int?)import["accepted"]));
        Assert.Equal("succeeded", (string?)(await host.Client.TrainAsync(model))["state"]);
        Assert.Equal("cats", (string?)(await host.Client.PredictAsync(model, Pets.Cats[0]))["predictions"]![0]!["labels"]![0]!["label"]);
        Assert.NotNull((await host.Client.GetJsonAsync($"{model}/versions/1/report"))["accuracy"]);
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync($"{model}/versions/1/report.html", Api.Cancel)).StatusCode);
        Assert.False(Directory.Exists(Path.Combine(host.DataFolder, "blobs")));
        Assert.False(Directory.Exists(Path.Combine(host.DataFolder, "imports")));
        Assert.True((await own.KeysAsync("ours/blobs/sha256/")).Count >= 43 + 3);

        await own.BreakAsync();
        var run = await host.Client.StartRunAsync(model);
        using var form = Api.Form("cats", ("cat.jpg", await File.ReadAllBytesAsync(Pets.Cats[20], Api.Cancel)));
        var refused = await host.Client.PostAsync($"{model}/images", form, Api.Cancel);
        await refused.ProblemAsync(HttpStatusCode.ServiceUnavailable, "blob-store-unavailable");
        Assert.NotNull(refused.Headers.RetryAfter);
        await (await host.Client.GetAsync("/health/ready", Api.Cancel)).ProblemAsync(HttpStatusCode.ServiceUnavailable, "not-ready");
        while (!host.Output.Contains("blob store", StringComparison.Ordinal) || (string?)(await RunAsync())["state"] != "queued")
        {
            await Task.Delay(100, Api.Cancel); // until the run has met it too
        }

        own.Mend();
        while (!(await host.Client.GetAsync("/health/ready", Api.Cancel)).IsSuccessStatusCode)
        {
            await Task.Delay(100, Api.Cancel);
        }

        using var again = Api.Form("cats", ("cat.jpg", await File.ReadAllBytesAsync(Pets.Cats[20], Api.Cancel)));
        Assert.Single((await (await host.Client.PostAsync($"{model}/images", again, Api.Cancel)).JsonAsync())["accepted"]!.AsArray());
        var ended = await host.Client.EndOfRunAsync(model, run);
        Assert.Equal(("succeeded", 2), ((string?)ended["state"], (int?)ended["version"]));
        Assert.DoesNotContain(S3Server.Secret, host.Output, StringComparison.Ordinal);

        Task<JsonNode> RunAsync() => host.Client.GetJsonAsync($"{model}/training-runs/{run["id"]}");
    }

    [Theory]
    [InlineData("Bucket", "nobodys", "has no bucket 'nobodys'")]
    [InlineData("AccessKey", "nobody", "rejected the access key")]
    [InlineData("Endpoint", "minio", "Headstart:Blobs:S3:Endpoint is \"minio\"; it must be a URL")]
    [InlineData("AccessKey", "", "belong together")]
    public async Task What_cannot_work_ends_the_start_with_a_sentence(string setting, string value, string sentence)
    {
        Needs.Time();
        await using var host = Host();
        host.Environment[$"Headstart__Blobs__S3__{setting}"] = value;

        var (exitCode, output) = await host.RunAsync();

        Assert.Equal(1, exitCode);
        Assert.Contains(sentence, output, StringComparison.Ordinal);
        Assert.DoesNotContain(S3Server.Secret, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    private HostProcess Host(S3Server? other = null)
    {
        S3Server.Needed();
        var host = new HostProcess();
        foreach (var (name, value) in (other ?? server).Environment)
        {
            host.Environment[name] = value;
        }

        return host;
    }

    private static byte[] Zip(IEnumerable<string> files)
    {
        using var zip = new MemoryStream();
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var file in files)
            {
                using var entry = archive.CreateEntry($"cats/{Path.GetFileName(file)}").Open();
                entry.Write(File.ReadAllBytes(file));
            }
        }

        return zip.ToArray();
    }
}
