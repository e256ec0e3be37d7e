using System.Net;
using Headstart.Tests.Predictions;

namespace Headstart.Tests.Versions;

public sealed class VersionsTests(TrainedHost host) : IClassFixture<TrainedHost>
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task A_version_says_how_it_was_made_and_how_good_it_is()
    {
        var version = await _client.GetJsonAsync($"{host.Model}/versions/1");
        Assert.Equal(
            ["number", "runId", "backbone", "trainableParameters", "accuracy", "accuracyInterval", "published", "createdAt"],
            version.AsObject().Select(p => p.Key));
        Assert.Equal((1, "headstart-small", true), ((int)version["number"]!, (string?)version["backbone"], (bool)version["published"]!));
        Assert.InRange((double)version["accuracy"]!, (double)version["accuracyInterval"]![0]!, (double)version["accuracyInterval"]![1]!);
        await _client.GetJsonAsync($"{host.Model}/training-runs/{version["runId"]}");
    }

    [Theory]
    [InlineData("2")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("2147483647")]
    public async Task A_version_that_does_not_exist_is_not_found(string number)
    {
        foreach (var (method, path) in new[] { (HttpMethod.Get, ""), (HttpMethod.Get, "/report"), (HttpMethod.Post, "/publish") })
        {
            await (await _client.SendAsync(method, $"{host.Model}/versions/{number}{path}"))
                .ProblemAsync(HttpStatusCode.NotFound, "version-not-found");
        }
    }

    [Theory]
    [InlineData("latest")]
    [InlineData("1.5")]
    [InlineData("99999999999")]
    public async Task A_number_that_is_none_is_not_found(string number) =>
        await (await _client.GetAsync($"{host.Model}/versions/{number}", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "not-found");

    [Fact]
    public async Task Publishing_the_published_version_again_changes_nothing()
    {
        var before = await _client.GetJsonAsync(host.Model);
        Assert.True((bool)(await (await _client.SendAsync(HttpMethod.Post, $"{host.Model}/versions/1/publish")).JsonAsync())["published"]!);
        Assert.Equal(before.ToJsonString(), (await _client.GetJsonAsync(host.Model)).ToJsonString());
    }

    [Fact]
    public async Task Pages_of_versions_take_the_number_as_mark()
    {
        Assert.Single((await _client.GetJsonAsync($"{host.Model}/versions?limit=1"))["items"]!.AsArray());
        Assert.Single((await _client.GetJsonAsync($"{host.Model}/versions?after=2"))["items"]!.AsArray());
        Assert.Empty((await _client.GetJsonAsync($"{host.Model}/versions?after=1"))["items"]!.AsArray());
        await (await _client.GetAsync($"{host.Model}/versions?after=x", Api.Cancel)).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
    }
}
