using Headstart.BatchPredictions;
using Headstart.Tests.Predictions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.BatchPredictions;

/// <summary>Workers that take each other for dead work on the same batch.</summary>
public sealed class BatchTwinsTests(TrainedHost host) : IClassFixture<TrainedHost>
{
    [Fact]
    public async Task Twins_answer_each_image_once_and_end_the_batch_once()
    {
        var batch = await host.Client.StartBatchAsync(host.Model, Batches.Many(300));
        var id = (Guid)batch["id"]!;
        var twins = new List<Task>();
        for (var i = 0; i < 3; i++)
        {
            var silent = await host.QueryAsync(db => db.BatchPredictions.Where(b => b.Id == id && b.FinishedAt == null)
                .ExecuteUpdateAsync(set => set.SetProperty(b => b.UpdatedAt, DateTime.UnixEpoch), Api.Cancel));
            Assert.Equal(1, silent);
            twins.Add(ActivatorUtilities.CreateInstance<BatchJob>(host.Services).RunAsync(id, Api.Cancel));
        }

        await Task.WhenAll(twins);

        var ended = await host.Client.EndOfBatchAsync(host.Model, batch);
        Assert.Equal(("succeeded", 300, 0), ((string?)ended["state"], (int)ended["done"]!, (int)ended["failed"]!));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i}.jpg"), (await host.Client.LinesAsync(host.Model, ended)).Select(l => (string?)l["fileName"]));
    }
}
