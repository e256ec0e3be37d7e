using System.Net;
using Headstart.Concurrency;
using Headstart.Configuration;
using Headstart.Data;
using Headstart.Tests.Concurrency;
using Headstart.Tests.Postgres;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Uploads;

/// <summary>Small versions of images are made by the cores that predict, so that many at once do not take the memory.</summary>
public sealed class ThumbnailsTests(ThumbnailsTests.SmallHost host) : IClassFixture<ThumbnailsTests.SmallHost>
{
    [Fact]
    public async Task While_all_cores_are_busy_a_thumbnail_is_refused_and_what_needs_no_decoding_is_sent()
    {
        var client = host.Client;
        var model = await client.NewModelAsync("cats");
        var image = (await client.AddAsync(model, "cats", Pictures.Jpeg(1)))[0]!;
        var content = $"{model}/images/{image["id"]}/content";
        var candidate = await CandidateAsync(model, Convert.FromHexString((string)image["sha256"]!));
        var known = await client.GetAsync($"{content}?size=16", Api.Cancel);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(candidate, Api.Cancel)).StatusCode);

        await using (await HeldCores.HoldAsync(host.Services.GetRequiredService<Cores>()))
        {
            foreach (var path in new[] { $"{content}?size=16", candidate })
            {
                var refused = await client.GetAsync(path, Api.Cancel);
                await refused.ProblemAsync(HttpStatusCode.ServiceUnavailable, "overloaded");
                Assert.NotNull(refused.Headers.RetryAfter);
                Assert.False(refused.Headers.CacheControl?.Private is true); // the next try must reach the host
            }

            Assert.Equal(Pictures.Jpeg(1), await client.GetByteArrayAsync(content, Api.Cancel));
            using var again = new HttpRequestMessage(HttpMethod.Get, $"{content}?size=16");
            again.Headers.IfNoneMatch.Add(known.Headers.ETag!);
            var unchanged = await client.SendAsync(again, Api.Cancel);
            Assert.Equal((HttpStatusCode.NotModified, known.Headers.ETag, true),
                (unchanged.StatusCode, unchanged.Headers.ETag, unchanged.Headers.CacheControl?.Private));
        }

        var answer = await client.GetAsync($"{content}?size=16", Api.Cancel);
        for (var looks = 0; answer.StatusCode == HttpStatusCode.ServiceUnavailable && looks < 1_000; looks++)
        {
            await Task.Delay(5, Api.Cancel); // a core that was let go is free a moment later
            answer = await client.GetAsync($"{content}?size=16", Api.Cancel);
        }

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>A candidate of a search that has this file.</summary>
    private async Task<string> CandidateAsync(string model, byte[] sha256)
    {
        var search = new ImageSearch
        {
            Id = Guid.CreateVersion7(),
            ModelId = Guid.Parse(model[^36..]),
            State = JobState.Reviewing,
            Queries = [],
            PerCategory = 1,
            Licences = default,
            Sources = [],
            Train = false,
            Review = true,
            CreatedAt = DateTime.UnixEpoch,
        };
        await host.QueryAsync(db =>
        {
            db.Add(search);
            db.Add(new SearchCandidate
            {
                SearchId = search.Id,
                Position = 0,
                Category = "cats",
                Origin = new("https://example.org/cat.jpg"),
                State = CandidateState.Kept,
                Sha256 = sha256,
            });
            return db.SaveChangesAsync(Api.Cancel);
        });
        return $"{model}/image-searches/{search.Id}/candidates/0/content";
    }

    public sealed class SmallHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:Predictions:MaxWaiting", "0")];
    }
}

/// <summary>Pages of many thumbnails.</summary>
[Collection<ModelsHost>]
public sealed class ManyThumbnailsTests(TestHost host)
{
    [Fact]
    public async Task More_thumbnails_at_once_than_may_wait_all_come_and_leave_room_for_predictions()
    {
        var model = await host.Client.NewModelAsync("cats");
        var image = (await host.Client.AddAsync(model, "cats", Pictures.Jpeg(1)))[0]!;
        var cores = host.Services.GetRequiredService<Cores>();
        var most = host.Services.GetRequiredService<Settings>().Predictions.MaxWaiting;
        Task<HttpResponseMessage[]> page;

        await using (await HeldCores.HoldAsync(cores))
        {
            page = Task.WhenAll(Enumerable.Range(0, 2 * most)
                .Select(i => host.Client.GetAsync($"{model}/images/{image["id"]}/content?size={16 + i}", Api.Cancel)));
            while (cores.Waiting.Count == 0)
            {
                await Task.Delay(5, Api.Cancel);
            }

            await Task.Delay(300, Api.Cancel); // for the others to arrive
            Assert.InRange(cores.Waiting.Count, 1, most / 2);
        }

        Assert.All(await page, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }
}
