using System.Net;
using System.Text.Json.Nodes;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Tests.Training;

[Collection<TrainingHost>]
public sealed class RetrainTests(TestHost host)
{
    [Fact]
    public async Task Of_two_concurrent_calls_one_trains_the_model()
    {
        var (model, id) = await OutdatedAsync();
        await using var held = await HeldRow.TakeAsync(host, $"SELECT FROM models WHERE id = {id} FOR UPDATE");
        var calls = (RetrainAsync(), RetrainAsync());
        await held.WaitersAsync(2);
        await held.ReleaseAsync();

        JsonNode[] runs = [.. (await calls.Item1).Concat(await calls.Item2).Select(run => run!)];

        Assert.Equal($"/api/v1/models/{Assert.Single(runs)["modelId"]}", model);
        await host.Client.EndOfRunAsync(model, runs[0]);
        Assert.Equal(2, (await host.Client.GetJsonAsync($"{model}/training-runs"))["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_model_that_is_deleted_meanwhile_is_left_out()
    {
        var (_, id) = await OutdatedAsync();
        await using var held = await HeldRow.TakeAsync(host, $"DELETE FROM models WHERE id = {id}");
        var call = RetrainAsync();
        await held.WaitersAsync(1);
        await held.ReleaseAsync();

        Assert.Empty(await call);
    }

    private async Task<JsonArray> RetrainAsync() => (await (await host.Client.SendAsync(HttpMethod.Post, "/api/v1/models/retrain"))
        .JsonAsync(HttpStatusCode.Accepted))["runs"]!.AsArray();

    /// <summary>A model whose version used another backbone, before this host had its own.</summary>
    private async Task<(string Model, Guid Id)> OutdatedAsync()
    {
        var model = await host.Client.PetsAsync(3);
        var id = Guid.Parse(model.Split('/')[^1]);
        await host.Client.TrainAsync(model, Api.Automatic);
        await host.QueryAsync(db => db.Versions.Where(v => v.ModelId == id).ExecuteUpdateAsync(set => set
            .SetProperty(v => v.Backbone, "earlier").SetProperty(v => v.KnownBackbones, new List<string> { "earlier" })));
        Assert.NotNull((await host.Client.GetJsonAsync(model))["update"]);
        return (model, id);
    }
}
