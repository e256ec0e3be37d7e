using System.Diagnostics;
using System.Net;
using Headstart.Disk;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Hosting;

/// <summary>What a user sees while the database or the disk is away, and that nothing is lost.</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task The_database_gone_for_ten_seconds_in_the_middle_of_a_run_costs_time_and_nothing_else()
    {
        Needs.Time();
        using var own = new OwnPostgres();
        using var data = DataFolder.Open(own.Folder.Path);
        var server = await own.StartAsync(data);
        await using var host = new HostOn(server.ConnectionString);
        await host.InitializeAsync();
        var model = await host.Client.PetsAsync();
        var run = await host.Client.StartRunAsync(model);
        while ((string?)run["state"] == "queued")
        {
            await Task.Delay(50, Api.Cancel);
            run = await host.Client.GetJsonAsync($"{model}/training-runs/{run["id"]}");
        }

        await server.DisposeAsync();
        var refused = await host.Client.GetAsync(model, Api.Cancel);
        await refused.ProblemAsync(HttpStatusCode.ServiceUnavailable, "database-unavailable");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await host.Client.GetAsync("/health/ready", Api.Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/health/live", Api.Cancel)).StatusCode);
        await Task.Delay(TimeSpan.FromSeconds(10), Api.Cancel);
        await using var back = await own.StartAsync(data);

        while (!(await host.Client.GetAsync("/health/ready", Api.Cancel)).IsSuccessStatusCode)
        {
            await Task.Delay(100, Api.Cancel);
        }

        Assert.Equal(("succeeded", 1), await EndAsync());

        async Task<(string?, int?)> EndAsync()
        {
            var ended = await host.Client.EndOfRunAsync(model, run);
            return ((string?)ended["state"], (int?)ended["version"]);
        }
    }

    [Fact]
    public async Task A_full_disk_is_said_so_and_what_was_stored_before_stays()
    {
        using var own = new OwnPostgres();
        using var data = DataFolder.Open(own.Folder.Path);
        await using var server = await own.StartAsync(data);
        await using var host = new HostOn(server.ConnectionString);
        using var disk = new SmallDisk(host.DataFolder, megabytes: 2);
        await host.InitializeAsync();
        var model = await host.Client.PetsAsync();
        // Bytes behind the end of a JPEG are no fault: forty of these fill the disk.
        var photographs = Pets.Cats.Concat(Pets.Dogs).Take(40)
            .Select((file, i) => ($"{i}.jpg", (byte[])[.. File.ReadAllBytes(file), .. new byte[50_000], (byte)i])).ToArray();
        using var form = Api.Form("cats", photographs);

        var full = await host.Client.PostAsync($"{model}/images", form, Api.Cancel);

        await full.ProblemAsync(HttpStatusCode.InsufficientStorage, "storage-full");
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/health/ready", Api.Cancel)).StatusCode);
        foreach (var image in (await host.Client.GetJsonAsync($"{model}/images?limit=200"))["items"]!.AsArray())
        {
            Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync($"{model}/images/{image!["id"]}/content", Api.Cancel)).StatusCode);
        }

        disk.Grow(megabytes: 50);
        using var again = Api.Form("cats", photographs);
        Assert.Equal(photographs.Length, (await (await host.Client.PostAsync($"{model}/images", again, Api.Cancel))
            .JsonAsync())["accepted"]!.AsArray().Count);
    }

    /// <summary>A host on a database that can be taken away from it.</summary>
    private sealed class HostOn(string database) : TestHost(null!)
    {
        protected override Task<string> DatabaseAsync() => Task.FromResult(database);
    }

    /// <summary>A file system of a few megabytes; mounting one takes root.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private readonly string _folder;

        public SmallDisk(string folder, int megabytes)
        {
            Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root on Linux can mount a small disk.");
            _folder = Directory.CreateDirectory(folder).FullName;
            Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", _folder);
        }

        public void Grow(int megabytes) => Run("mount", "-o", $"remount,size={megabytes}m", _folder);

        public void Dispose() => Run("umount", "-l", _folder);

        private static void Run(string program, params string[] arguments)
        {
            using var process = Process.Start(program, arguments);
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }
    }
}
