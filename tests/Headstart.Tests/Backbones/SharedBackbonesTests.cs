using System.Text;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Tests.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Backbones;

public sealed class SharedBackbonesTests(TestHost host) : IClassFixture<TestHost>
{
    [Fact]
    public async Task A_file_that_this_host_cannot_use_is_not_downloaded_again_until_it_is_given_with_another_description()
    {
        using var log = LogListener.To<SharedBackbones>(host);
        await GiveAsync("first", "{}");
        await log.HearsAsync("backbone first");
        await GiveAsync("second", "{}", "and more");
        await log.HearsAsync("backbone second");
        await GiveAsync("third", "{ }", "and more again");
        await log.HearsAsync("backbone third"); // the exchange that found the second has ended

        Assert.Single(log.Lines, line => line.Contains("backbone first", StringComparison.Ordinal));

        await host.QueryAsync(db => db.Database.ExecuteSqlAsync(
            $$"""UPDATE shared_backbones SET manifest = '{"id":"first"}' WHERE id = 'first'"""));
        await GiveAsync("fourth", "{}", "and yet more");
        await log.HearsAsync("backbone fourth");
        await GiveAsync("fifth", "{}", "and no more");
        await log.HearsAsync("backbone fifth");

        Assert.Equal(2, log.Lines.Count(line => line.Contains("backbone first", StringComparison.Ordinal)));
    }

    /// <summary>As another host does that can use the file.</summary>
    private async Task GiveAsync(string id, string manifest, string more = "")
    {
        var blobs = host.Services.GetRequiredService<IBlobStore>();
        var sha256 = await blobs.PutAsync(Encoding.UTF8.GetBytes("no network " + more), Api.Cancel);
        await host.QueryAsync(async db =>
        {
            db.Add(new SharedBackbone
            {
                Id = id,
                Sha256 = sha256,
                Manifest = manifest,
                Registered = false,
                CreatedAt = DateTime.UnixEpoch,
            });
            await db.SaveChangesAsync();
            await Announcements.SayAsync(db, Announcement.Backbones, Api.Cancel);
            return 0;
        });
    }
}
