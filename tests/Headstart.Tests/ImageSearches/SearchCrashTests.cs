using System.Text.Json.Nodes;
using Headstart.Tests.Processes;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.ImageSearches;

/// <summary>The program is killed, or told to stop, in the middle of a search.</summary>
public sealed class SearchCrashTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_search_whose_host_ends_goes_on_after_the_restart_without_asking_again(bool killed)
    {
        await using var catalogues = new Catalogues();
        var release = new TaskCompletionSource();
        catalogues.Openverse("thing", Enumerable.Range(0, 17).Select(i => Pictures.Jpeg(i)));
        catalogues.OpenverseAddress("thing", catalogues.Web.Lay("/waits.jpg", async http =>
        {
            await release.Task.WaitAsync(http.RequestAborted); // the second lot of candidates hangs here
            await http.Response.Body.WriteAsync(Pictures.Jpeg(100));
        }));
        await using var program = new HostProcess { Environment = { ["Headstart__Fetching__AllowedHosts"] = "127.0.0.1" } };
        foreach (var (name, value) in catalogues.Settings)
        {
            program.Environment[name.Replace(":", "__")] = value;
        }

        await program.StartAsync();
        var model = await program.Client.NewModelAsync("things");
        var search = await (await program.Client.PostAsync($"{model}/image-searches",
            new { queries = new { things = "thing" }, perCategory = 50, train = false, sources = new[] { "openverse" } }))
                .JsonAsync(System.Net.HttpStatusCode.Accepted);
        while (!catalogues.Web.Asked.Contains("/waits.jpg"))
        {
            await Task.Delay(20, Api.Cancel);
        }

        if (killed)
        {
            await program.KillAsync();
        }
        else
        {
            program.Interrupt();
            Assert.Equal(0, await program.ExitAsync());
        }

        release.SetResult();
        await program.StartAsync();
        JsonNode ended = search;
        for (var looks = 0; (string?)ended["state"] is "queued" or "running"; looks++)
        {
            Assert.True(looks < 1_200, $"The search does not end: {ended.ToJsonString()}");
            await Task.Delay(100, Api.Cancel);
            ended = await program.Client.GetJsonAsync($"{model}/image-searches/{search["id"]}");
        }

        Assert.Equal(("succeeded", 18), ((string?)ended["state"], (int)ended["categories"]![0]!["fetched"]!));
        Assert.Equal((int)ended["categories"]![0]!["added"]!, (await program.Client.GetJsonAsync($"{model}/images"))["items"]!.AsArray()
            .Count);
        Assert.Single(catalogues.Web.Asked, path => path.StartsWith("/openverse", StringComparison.Ordinal));
        Assert.All(catalogues.Web.Asked.Where(path => path.StartsWith("/files/", StringComparison.Ordinal)).Take(16).CountBy(path => path),
            count => Assert.Equal(1, count.Value));
    }
}
