using Headstart.Hosting;
using Headstart.Jobs;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Uploads.Imports;

/// <summary>Workers that are taken for dead while they work on the same import.</summary>
public sealed class ImportTwinsTests(ImportTwinsTests.Host host) : IClassFixture<ImportTwinsTests.Host>
{
    [Fact]
    public async Task Twins_take_each_image_once_and_end_the_import_once()
    {
        Needs.Time();
        var model = await host.Client.NewModelAsync();
        var archive = Batches.Zip(Enumerable.Range(0, 1_500)
            .Select(i => ($"cats/{i}.png", i % 3 == 0 ? "no image"u8.ToArray() : Pictures.Tiny(i))));
        var import = await host.Client.StartImportAsync(model, Batches.Archive(archive));
        var id = (Guid)import["id"]!;
        var twins = new List<Task>();
        for (var i = 0; i < 3; i++)
        {
            var silent = await host.QueryAsync(db => db.Database.ExecuteSqlAsync(
                $"UPDATE imports SET lease_until = 'epoch' WHERE id = {id} AND finished_at IS NULL", Api.Cancel));
            Assert.Equal(1, silent);
            twins.Add(ActivatorUtilities.CreateInstance<JobRunner>(host.Services).RunAsync("imports", id, Api.Cancel));
        }

        await Task.WhenAll(twins);

        var ended = await host.Client.EndOfImportAsync(model, import);
        Assert.Equal(("succeeded", 1_500, 1_000, 0, 500),
            ((string?)ended["state"], (int)ended["done"]!, (int)ended["accepted"]!, (int)ended["alreadyThere"]!, (int)ended["rejected"]!));
        Assert.Equal(1_000, await host.Client.CountAsync(model));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i * 3} cats/{i * 3}.png unsupported-format"),
            await host.Client.RejectionsAsync(model, ended, limit: 200));
    }

    public sealed class Host(Postgres.TestPostgres postgres) : TestHost(postgres)
    {
        protected override bool IsNeeded => Needs.HasTime;
    }
}
