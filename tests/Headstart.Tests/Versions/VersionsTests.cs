using System.Net;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Tests.Predictions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

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
    public async Task A_version_of_an_earlier_preprocessing_goes_on_answering_as_it_did()
    {
        var model = await _client.PetsAsync(12);
        await _client.TrainAsync(model);
        var id = Guid.Parse(model[^36..]);
        var blobs = host.Services.GetRequiredService<BlobStores>().Blobs;
        var version = await host.QueryAsync(db => db.Versions.SingleAsync(v => v.ModelId == id, Api.Cancel));
        var artifact = HeadArtifact.Read((await blobs.GetAsync(version.Artifact, Api.Cancel))!);
        // What an earlier Headstart would have written.
        var earlier = artifact with
        {
            Parts = [.. artifact.Parts.Select(part => part with { PreprocessingId = $"{part.PreprocessingId[..^1]}1" })],
        };
        var stored = await blobs.PutAsync(earlier.Write(), Api.Cancel);
        await host.QueryAsync(db => db.Versions.Where(v => v.ModelId == id)
            .ExecuteUpdateAsync(set => set.SetProperty(v => v.Artifact, stored), Api.Cancel));

        var answer = await _client.PredictAsync(model, Pets.Cats[^1]);

        var backbone = host.Services.GetRequiredService<LoadedBackbones>().Find("headstart-small")!;
        var features = FeatureRecipe.Of(backbone.Earlier).Extract(await File.ReadAllBytesAsync(Pets.Cats[^1], Api.Cancel));
        Assert.NotEqual(features, FeatureRecipe.Of(backbone).Extract(await File.ReadAllBytesAsync(Pets.Cats[^1], Api.Cancel)));
        var expected = artifact.Head.Probabilities(features).Max();
        Assert.Equal(expected, (double)answer["predictions"]![0]!["labels"]![0]!["probability"]!, 1e-5);
        await (await _client.GetAsync($"{model}/versions/1/export", Api.Cancel)).ProblemAsync(HttpStatusCode.Conflict, "export-failed");
        // The next version is made of today's features, and compared with this one on its own.
        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(model))["state"]);
        var next = await host.QueryAsync(db => db.Versions.SingleAsync(v => v.ModelId == id && v.Number == 2, Api.Cancel));
        Assert.All(HeadArtifact.Read((await blobs.GetAsync(next.Artifact, Api.Cancel))!).Parts, part =>
            Assert.EndsWith("-v2", part.PreprocessingId));
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
