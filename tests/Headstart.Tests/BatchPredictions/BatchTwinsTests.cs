using Headstart.Hosting;
using Headstart.Jobs;
using Headstart.Tests.Predictions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.BatchPredictions;

/// <summary>Workers that are taken for dead while they work on the same batch.</summary>
[Collection<PredictionsHost>]
public sealed class BatchTwinsTests(TrainedHost host)
{
    [Fact]
    public async Task Twins_answer_each_image_once_and_end_the_batch_once()
    {
        var batch = await host.Client.StartBatchAsync(host.Model, Batches.Many(300));
        var id = (Guid)batch["id"]!;
        var twins = new List<Task>();
        for (var i = 0; i < 3; i++)
        {
            var silent = await host.QueryAsync(db => db.Database.ExecuteSqlAsync(
                $"UPDATE batch_predictions SET lease_until = 'epoch' WHERE id = {id} AND finished_at IS NULL", Api.Cancel));
            Assert.Equal(1, silent);
            twins.Add(ActivatorUtilities.CreateInstance<JobRunner>(host.Services).RunAsync("batches", id, Api.Cancel));
        }

        await Task.WhenAll(twins);

        var ended = await host.Client.EndOfBatchAsync(host.Model, batch);
        Assert.Equal(("succeeded", 300, 0), ((string?)ended["state"], (int)ended["done"]!, (int)ended["failed"]!));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i}.jpg"),
            (await host.Client.LinesAsync(host.Model, ended)).Select(l => (string?)l["fileName"]));
    }
}
