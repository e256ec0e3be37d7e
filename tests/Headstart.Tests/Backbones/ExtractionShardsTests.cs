using Headstart.Backbones;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Backbones;

/// <summary>What workers share out among themselves.</summary>
public sealed class ExtractionShardsTests(TestHost host) : IClassFixture<TestHost>
{
    [Fact]
    public async Task A_claim_takes_one_shard_whatever_the_database_believes_of_the_table()
    {
        var extraction = Guid.CreateVersion7();
        await AddAsync(extraction, 0, 1);
        // which takes it for one row
        await host.QueryAsync(db => db.Database.ExecuteSqlAsync($"VACUUM ANALYZE extraction_shards", Api.Cancel));
        await AddAsync(extraction, 1, 8);
        var shards = host.Services.GetRequiredService<ExtractionShards>();

        for (var number = 0; number < 9; number++)
        {
            var claimed = await shards.ClaimAsync(["of this test"], extraction, Api.Cancel);

            Assert.Equal(number, claimed?.Number);
        }

        Assert.Null(await shards.ClaimAsync(["of this test"], extraction, Api.Cancel));
    }

    private Task<int> AddAsync(Guid extraction, int from, int count) => host.QueryAsync(async db =>
    {
        db.AddRange(Enumerable.Range(from, count).Select(number => new ExtractionShard
        {
            ExtractionId = extraction,
            Number = number,
            Space = "of this test",
            Images = [[(byte)number]],
            CreatedAt = TimeProvider.System.GetUtcNow().UtcDateTime,
        }));
        return await db.SaveChangesAsync(Api.Cancel);
    });
}
