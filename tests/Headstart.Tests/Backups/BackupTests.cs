using System.Net;
using System.Text.Json.Nodes;
using Headstart.Hosting;
using Headstart.Tests.Backbones;
using Headstart.Tests.Blobs;
using Headstart.Tests.Postgres;
using Headstart.Tests.Processes;
using Headstart.Tests.Training;
using Headstart.Tests.Uploads;
using Npgsql;

namespace Headstart.Tests.Backups;

/// <summary>The verbs as their users type them, on the real program.</summary>
public sealed class BackupTests(S3Server server, TestPostgres postgres) : IClassFixture<S3Server>
{
    [Fact]
    public async Task A_backup_of_a_busy_host_becomes_a_host_that_answers_as_that_one_did_and_ends_its_run_though_a_first_restore_died()
    {
        Needs.Time();
        await using var host = new HostProcess();
        await host.StartAsync();
        var pets = await TrainedAsync(host.Client);
        var words = await host.Client.NewTextModelAsync("pos", "neg");
        await host.Client.AddTextsAsync(words, TextFiles.Opinions(80));
        Assert.Equal("succeeded", (string?)(await host.Client.TrainAsync(words, new { backbone = "tfidf" }))["state"]);
        var answers = await AnswersAsync(host.Client, pets, words);
        using var place = new TemporaryFolder();

        // A run and uploads, all while the backup is made.
        var busy = await host.Client.PetsAsync(20);
        await using var database = await host.ConnectAsync();
        await using (var hold = new NpgsqlCommand(CrashTests.Trigger("training") + "SELECT pg_advisory_lock(42);", database))
        {
            await hold.ExecuteNonQueryAsync(Api.Cancel);
        }

        var run = await host.Client.StartRunAsync(busy);
        while ((string?)run["stage"] != "training")
        {
            await Task.Delay(20, Api.Cancel);
            run = await host.Client.GetJsonAsync($"{busy}/training-runs/{run["id"]}");
        }

        var working = true;
        var uploading = Task.Run(async () =>
        {
            foreach (var photograph in Pets.Dogs[20..].TakeWhile(_ => Volatile.Read(ref working)))
            {
                await host.Client.UploadAsync(busy, "dogs", photograph);
            }
        }, Api.Cancel);
        var (exitCode, output) = await VerbAsync(host, "backup", place.Below("backup"));
        Volatile.Write(ref working, false);
        await uploading;

        Assert.True(exitCode == 0, output);
        Assert.Contains("is complete", output, StringComparison.Ordinal);
        await database.CloseAsync(); // lets the run go on
        Assert.Equal("succeeded", (string?)(await host.Client.EndOfRunAsync(busy, run))["state"]);
        await using var other = new HostProcess();
        await DieOverADamagedBlobAsync(other, place.Below("backup"));
        var restored = await other.RunAsync("restore", place.Below("backup"));
        Assert.True(restored.ExitCode == 0, restored.Output);
        var full = await other.RunAsync("restore", place.Below("backup"));
        Assert.Equal(1, full.ExitCode);
        Assert.Contains("is not empty, so nothing was restored", full.Output, StringComparison.Ordinal);

        await other.StartAsync();
        Assert.Equal(answers, await AnswersAsync(other.Client, pets, words));
        Assert.Equal("succeeded", (string?)(await other.Client.EndOfRunAsync(busy,
            await other.Client.GetJsonAsync($"{busy}/training-runs/{run["id"]}")))["state"]);
        Assert.Equal("dogs", (await other.Client.PredictAsync(busy, Pets.Dogs[0]))["predictions"]![0]!.BestLabel());
        await SameImagesAsync(await ImagesAsync(host.Client, pets), other.Client, pets);
        Assert.Superset((await ImagesAsync(other.Client, busy)).Select(image => (string?)image["sha256"]).ToHashSet(),
            (await ImagesAsync(host.Client, busy)).Select(image => (string?)image["sha256"]).ToHashSet());
        await SameImagesAsync(await ImagesAsync(other.Client, busy), other.Client, busy);
        Assert.Equal(1, (await VerbAsync(other, "restore", place.Below("backup"))).ExitCode); // not into a folder that is in use
        await RefusedAfterAnotherHostAsync(await postgres.CreateDatabaseAsync(), place.Below("backup"));
    }

    [Fact]
    public async Task A_host_that_is_stopped_is_backed_up_too_and_becomes_nodes_with_a_bucket_and_one_host_again()
    {
        Needs.Time();
        S3Server.Needed();
        await using var host = new HostProcess();
        await host.StartAsync();
        var pets = await TrainedAsync(host.Client);
        var images = await ImagesAsync(host.Client, pets);
        await (await host.Client.RegisterAsync(RegisterTests.Network(1), "ours.onnx", ("mean", "0,0,0"))).JsonAsync(HttpStatusCode.Created);
        await (await host.Client.RegisterTextAsync(RegisterTextTests.Words, "words.txt")).JsonAsync(HttpStatusCode.Created);
        host.Interrupt();
        Assert.Equal(0, await host.ExitAsync());
        using var place = new TemporaryFolder();

        var first = await host.RunAsync("backup", place.Below("backup"));
        var blob = Directory.GetFiles(place.Below("backup/blobs"), "*", SearchOption.AllDirectories)[0];
        await File.WriteAllTextAsync(blob, "damaged", Api.Cancel);
        await File.WriteAllTextAsync(place.Below("backup/database-unfinished.dump"), "of a backup that failed", Api.Cancel);
        var second = await host.RunAsync("backup", place.Below("backup"));

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Single(Directory.GetFiles(place.Below("backup"), "database-*"));
        Assert.Matches(@"\b2[1-9] blobs \(2[1-9] new", first.Output);
        Assert.Matches(@"\b2[1-9] blobs \(1 new", second.Output);
        Assert.Empty(host.DatabaseServers());
        var database = await postgres.CreateEmptyDatabaseAsync();
        await using (var somewhere = NewNode())
        {
            var restored = await somewhere.RunAsync("restore", place.Below("backup"));
            Assert.True(restored.ExitCode == 0, restored.Output);
        }

        // A node with another data folder has the registered backbones too.
        await using var node = NewNode();
        await node.StartAsync();
        await SameImagesAsync(images, node.Client, pets);
        Assert.Contains(await node.Client.BackbonesAsync(), b => (string?)b["id"] == "ours" && (bool?)b["registered"] == true);
        Assert.True((bool?)(await node.Client.TextBackboneAsync("words"))!["registered"]);
        Assert.False(Directory.Exists(Path.Combine(node.DataFolder, "blobs")));

        // And back, from a machine that has never run a host. A backbone that cannot be used is named.
        await OwnPostgres.ExecuteAsync(database, """
            INSERT INTO shared_backbones (id, sha256, manifest, registered, created_at)
            SELECT 'broken', sha256, '{"id":"broken"}', true, now() FROM shared_backbones WHERE id = 'ours'
            """);
        await using var elsewhere = NewNode();
        Assert.Equal(0, (await elsewhere.RunAsync("backup", place.Below("from the bucket"))).ExitCode);
        await using var alone = new HostProcess();
        var back = await alone.RunAsync("restore", place.Below("from the bucket"));
        Assert.True(back.ExitCode == 2, back.Output);
        Assert.Contains("Backbone broken cannot be restored", back.Output, StringComparison.Ordinal);
        Assert.Superset(new HashSet<string> { "ours.onnx", "ours.json", "words.txt" },
            Directory.GetFiles(Path.Combine(alone.DataFolder, "backbones", "registered"), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetFileName(file)!).ToHashSet());

        HostProcess NewNode()
        {
            var made = new HostProcess();
            foreach (var (name, value) in server.Environment.Append(new("ConnectionStrings__Headstart", database)))
            {
                made.Environment[name] = value;
            }

            return made;
        }
    }

    [Fact]
    public async Task What_cannot_work_is_said_in_one_sentence()
    {
        await using var host = new HostProcess();
        using var place = new TemporaryFolder();
        await File.WriteAllTextAsync(place.Below("a letter"), "Dear all", Api.Cancel);

        await RefusedAsync("Name the folder for the backup", "backup");
        await RefusedAsync("Name the folder of the backup", "restore");
        await RefusedAsync("There is no database in the data folder", "backup", place.Below("new"));
        await RefusedAsync($"'{place.Path}' is neither empty nor a backup", "backup", place.Path);
        await RefusedAsync($"'{place.Path}' has no backup.json", "restore", place.Path);
        Assert.False(Directory.Exists(host.DataFolder));

        async Task RefusedAsync(string sentence, params string[] arguments)
        {
            var (exitCode, output) = await host.RunAsync(arguments);
            Assert.Equal(1, exitCode);
            Assert.StartsWith(sentence, Assert.Single(output.Trim().Split('\n')), StringComparison.Ordinal);
        }
    }

    /// <summary>A restore that ends in the middle, and the start that is refused until it was repeated. The backup is whole again
    /// afterwards.</summary>
    private static async Task DieOverADamagedBlobAsync(HostProcess other, string backup)
    {
        var blob = Directory.GetFiles(Path.Combine(backup, "blobs"), "*", SearchOption.AllDirectories)[0];
        var bytes = await File.ReadAllBytesAsync(blob, Api.Cancel);
        await File.WriteAllBytesAsync(blob, [.. bytes.SkipLast(1), (byte)(bytes[^1] + 1)], Api.Cancel);

        var half = await other.RunAsync("restore", backup);
        Assert.Equal(1, half.ExitCode);
        Assert.Contains(
            $"1 blobs are missing or damaged in the backup, for example {Path.GetFileName(blob)}", half.Output, StringComparison.Ordinal);
        var refused = await other.RunAsync();
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("did not finish", refused.Output, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(blob, bytes, Api.Cancel);
    }

    /// <summary>A restore that failed before its database was filled, which another host has taken since.</summary>
    private static async Task RefusedAfterAnotherHostAsync(string database, string backup)
    {
        await using var late = new HostProcess();
        late.Environment["ConnectionStrings__Headstart"] = database;
        var made = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(backup, "backup.json"), Api.Cancel))!;
        Directory.CreateDirectory(late.DataFolder);
        await File.WriteAllTextAsync(Path.Combine(late.DataFolder, "restoring"), (string)made["database"]!["sha256"]!, Api.Cancel);

        var (exitCode, output) = await late.RunAsync("restore", backup);

        Assert.Equal(1, exitCode);
        Assert.Contains("does not hold what the backup holds", output, StringComparison.Ordinal);
    }

    /// <summary>A verb in a process of its own on the installation of a host that may be running.</summary>
    private static async Task<(int ExitCode, string Output)> VerbAsync(HostProcess host, params string[] arguments)
    {
        await using var process = new HostProcess();
        foreach (var (name, value) in host.Environment.Append(new("Headstart__DataDirectory", host.DataFolder)))
        {
            process.Environment[name] = value;
        }

        return await process.RunAsync(arguments);
    }

    private static async Task<string> TrainedAsync(HttpClient client)
    {
        var pets = await client.PetsAsync(10);
        Assert.Equal("succeeded", (string?)(await client.TrainAsync(pets))["state"]);
        return pets;
    }

    private static async Task<List<string>> AnswersAsync(HttpClient client, string pets, string words) =>
    [
        .. (await client.PredictAsync(pets, Pets.Dogs))["predictions"]!.AsArray().Select(answer => answer!["labels"]!.ToJsonString()),
        .. (await client.AskAsync(words, "a dreadful , tedious mess", "a touching , funny film"))["predictions"]!.AsArray()
        .Select(answer => answer!["labels"]!.ToJsonString()),
    ];

    /// <summary>The same images, and the bytes of each.</summary>
    private static async Task SameImagesAsync(List<JsonNode> images, HttpClient after, string model)
    {
        Assert.Equal(images.Select(image => (string?)image["sha256"]),
            (await ImagesAsync(after, model)).Select(image => (string?)image["sha256"]));
        foreach (var image in images)
        {
            var content = await after.GetAsync($"{model}/images/{image["id"]}/content", Api.Cancel);
            Assert.Equal(HttpStatusCode.OK, content.StatusCode);
            Assert.Equal((string?)image["sha256"], Convert.ToHexStringLower(
                System.Security.Cryptography.SHA256.HashData(await content.Content.ReadAsByteArrayAsync(Api.Cancel))));
        }
    }

    private static async Task<List<JsonNode>> ImagesAsync(HttpClient client, string model) =>
        [.. (await client.GetJsonAsync($"{model}/images?limit=200"))["items"]!.AsArray().Select(image => image!)];
}
