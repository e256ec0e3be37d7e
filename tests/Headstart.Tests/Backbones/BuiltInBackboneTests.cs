namespace Headstart.Tests.Backbones;

/// <summary>A bare machine: nothing fetched, no folder named, no network.</summary>
public sealed class BuiltInBackboneTests(HostWithoutBackbones host) : IClassFixture<HostWithoutBackbones>
{
    [Fact]
    public async Task The_main_job_works_with_what_comes_with_the_program()
    {
        var present = (await host.Client.GetJsonAsync("/api/v1/backbones"))["items"]!.AsArray().TakeWhile(b => (bool)b!["present"]!);
        Assert.Equal("headstart-small", (string?)Assert.Single(present)!["id"]);
        var model = await host.Client.PetsAsync();

        var run = await host.Client.TrainAsync(model);

        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.StartsWith("headstart-small", (string?)(await host.Client.GetJsonAsync($"{model}/versions/1"))["backbone"]);
        var report = await host.Client.GetJsonAsync($"{model}/versions/1/report");
        Assert.True((double)report["crossValidation"]!["accuracy"]! >= 0.65, report.ToJsonString()); // of sixty cats and dogs
    }
}
