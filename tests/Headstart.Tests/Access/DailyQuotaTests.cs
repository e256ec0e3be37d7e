using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Headstart.Access;
using Headstart.Data;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Predictions;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Access;

/// <summary>How many predictions an account may ask for, and how many training runs may be under way. One test after the other sets the
/// quotas of the same account.</summary>
public sealed class DailyQuotaTests(TrainedHost host) : IClassFixture<TrainedHost>
{
    private Usage Usage => host.Services.GetRequiredService<Usage>();

    [Fact]
    public async Task Predictions_end_with_the_quota_whatever_the_protocol_until_midnight()
    {
        await AllowAsync(3);
        using var answer = await PredictAsync();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, Left(answer));
        Assert.StartsWith("\"predictionsPerDay\";q=", Assert.Single(answer.Headers.GetValues("RateLimit-Policy")));
        Assert.EndsWith(";w=86400", Assert.Single(answer.Headers.GetValues("RateLimit-Policy")));
        await Usage.WriteAsync();
        await host.Client.PredictAsync(host.Model, Pets.Cats.Take(2));

        using var refused = await PredictAsync();
        var problem = await refused.ProblemAsync(HttpStatusCode.TooManyRequests, "quota-exceeded");
        Assert.Equal(("predictionsPerDay", (int)problem["limit"]!), ((string?)problem["quota"], (int)problem["used"]!));
        Assert.InRange((int)refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 86_400);
        Assert.Equal(0, Left(refused));
        using var infer = await host.Client.PostAsync($"/v2/models/{host.Model[^36..]}/infer", new { inputs = Array.Empty<object>() });
        Assert.Equal(HttpStatusCode.TooManyRequests, infer.StatusCode);
        using var nano = await host.Client.PostAsync($"/api/v2/ImageCategorization/LabelFile/?modelId={host.Model[^36..]}",
            Api.Form(null, ("a.jpg", Pets.Cat)), Api.Cancel);
        Assert.Equal(HttpStatusCode.TooManyRequests, nano.StatusCode);
        Assert.Contains("\"Quota exceeded\"", await nano.Content.ReadAsStringAsync(Api.Cancel));
        await AllowAsync(null);
        Assert.Equal(HttpStatusCode.OK, (await PredictAsync()).StatusCode);
    }

    [Fact]
    public async Task What_other_hosts_answered_counts_from_the_next_write_on()
    {
        await AllowAsync(2);
        Assert.Equal(1, Left(await PredictAsync()));
        await Usage.WriteAsync();
        Assert.Equal(0, Left(await PredictAsync()));
        await AllowAsync(5);
        await Usage.WriteAsync();
        var today = DateOnly.FromDateTime(host.Services.GetRequiredService<TimeProvider>().GetUtcNow().UtcDateTime);
        await host.QueryAsync(async db =>
        {
            var account = db.Accounts.Single(a => a.IsOperator).Id;
            var key = Secrets.Entity(account, "of another host", Secrets.NewKey(), Scopes.All, DateTime.UnixEpoch);
            db.Add(key);
            db.Add(new UsageDay { KeyId = key.Id, Day = today, Requests = 3, Predictions = 3 });
            return await db.SaveChangesAsync(Api.Cancel);
        });
        await Usage.WriteAsync();
        Assert.Equal(1, Left(await PredictAsync()));
        await AllowAsync(null);
    }

    [Fact]
    public async Task A_batch_counts_when_it_is_made_and_is_refused_when_it_is_larger_than_what_is_left()
    {
        await AllowAsync(5);
        using var large = await host.Client.SendBatchAsync(host.Model, System.Net.Http.Json.JsonContent.Create(new { images = new { } }));
        var problem = await large.ProblemAsync(HttpStatusCode.TooManyRequests, "quota-exceeded");
        Assert.Equal(24, (int)problem["images"]!);

        var ids = (await host.Client.GetJsonAsync($"{host.Model}/images?limit=4"))["items"]!.AsArray().Select(i => (string)i!["id"]!)
            .ToArray();
        for (var times = 0; times < 2; times++) // the same batch, so it counts once
        {
            using var small = await host.Client.SendBatchAsync(host.Model, System.Net.Http.Json.JsonContent.Create(new { imageIds = ids }),
                idempotencyKey: "once");
            await small.JsonAsync(HttpStatusCode.Accepted);
            Assert.Equal(1, Left(small));
        }

        await AllowAsync(null);
    }

    [Fact]
    public async Task A_batch_is_read_only_as_far_as_the_days_predictions_go()
    {
        await AllowAsync(3);
        var (before, many) = (Blobs(), 20 + (4 * Environment.ProcessorCount));
        using var batch = Api.Form(null, Enumerable.Range(70_000, many).Select(i => ($"{i}.png", Uploads.Pictures.Tiny(i))));

        await (await host.Client.SendBatchAsync(host.Model, batch)).ProblemAsync(HttpStatusCode.TooManyRequests, "quota-exceeded");

        Assert.InRange(Blobs() - before, 0, 6 + Environment.ProcessorCount); // the first four, and those under way beside them
        await AllowAsync(null);

        int Blobs() => Directory.GetFiles(Path.Combine(host.DataFolder, "blobs"), "*", SearchOption.AllDirectories).Length;
    }

    [Fact]
    public async Task What_is_sent_for_a_batch_takes_room_until_the_batch_is_deleted()
    {
        var photo = Pets.Cat.Length;
        var stored = await BytesAsync();
        await AllowAsync(null, bytes: stored + 2 * photo);
        var batch = await (await host.Client.SendBatchAsync(host.Model, Api.Form(null, ("a.jpg", Pets.Cat), ("b.jpg", Pets.Cat))))
            .JsonAsync(HttpStatusCode.Accepted);
        Assert.Equal(stored + 2 * photo, await BytesAsync());

        using var refused = await host.Client.SendBatchAsync(host.Model, Api.Form(null, ("c.jpg", Pets.Cat)));
        var problem = await refused.ProblemAsync(HttpStatusCode.PaymentRequired, "quota-exceeded");
        Assert.Equal(("bytes", stored + 2 * photo, stored + 2 * photo),
            ((string?)problem["quota"], (long)problem["limit"]!, (long)problem["used"]!));
        // needs no room
        using var ofStored = await host.Client.SendBatchAsync(host.Model,
            System.Net.Http.Json.JsonContent.Create(new { images = new { } }));
        Assert.Equal((HttpStatusCode.Accepted, "\"bytes\";r=0"), (ofStored.StatusCode, ofStored.Headers.GetValues("RateLimit").Single()));

        Assert.Equal(HttpStatusCode.NoContent, (await host.Client.DeleteAsync(Batches.PathOf(host.Model, batch), Api.Cancel)).StatusCode);
        Assert.Equal(stored, await BytesAsync());
        var answers = await Task.WhenAll(Enumerable.Range(0, 4)
            .Select(_ => host.Client.SendBatchAsync(host.Model, Api.Form(null, ("d.jpg", Pets.Cat)))));
        Assert.Equal(2, answers.Count(a => a.StatusCode == HttpStatusCode.Accepted));
        Assert.All(answers, a => Assert.True(a.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.PaymentRequired,
            a.StatusCode.ToString()));
        await AllowAsync(null);

        async Task<long> BytesAsync() => (long)(await host.Client.GetJsonAsync("/api/v1/usage"))["quotas"]!.AsArray()
            .Single(q => (string?)q!["quota"] == "bytes")!["used"]!;
    }

    [Fact]
    public async Task No_more_runs_are_under_way_than_the_account_may_have()
    {
        await AllowAsync(null, runs: 1);
        var id = Guid.Parse(host.Model[^36..]);
        HttpResponseMessage[] answers;
        await using (await HeldRow.TakeAsync(host, $"SELECT FROM models WHERE id = {id} FOR KEY SHARE")) // no run ends meanwhile
        {
            answers = await Task.WhenAll(Enumerable.Range(0, 4)
                .Select(_ => host.Client.PostAsync($"{host.Model}/training-runs", Api.BuiltIn)));
        }

        var run = await Assert.Single(answers, a => a.StatusCode == HttpStatusCode.Accepted).JsonAsync(HttpStatusCode.Accepted);
        foreach (var refused in answers.Where(a => a.StatusCode != HttpStatusCode.Accepted))
        {
            var problem = await refused.ProblemAsync(HttpStatusCode.TooManyRequests, "quota-exceeded");
            Assert.Equal(("concurrentRuns", 1, 1), ((string?)problem["quota"], (int)problem["limit"]!, (int)problem["used"]!));
            Assert.Equal(("30", "\"concurrentRuns\";r=0"),
                (refused.Headers.GetValues("Retry-After").Single(), refused.Headers.GetValues("RateLimit").Single()));
        }

        await host.Client.EndOfRunAsync(host.Model, run);
        var next = await host.Client.StartRunAsync(host.Model);
        await host.Client.SendAsync(HttpMethod.Post, $"{host.Model}/training-runs/{next["id"]}/cancel");
        await host.Client.EndOfRunAsync(host.Model, next);
        await AllowAsync(null);
    }

    private Task<HttpResponseMessage> PredictAsync() => host.Client.PostAsync($"{host.Model}/predictions", Api.Raw(Pets.Cat), Api.Cancel);

    /// <summary>So many predictions beyond those there were already.</summary>
    private async Task AllowAsync(int? more, int? runs = null, long? bytes = null)
    {
        var used = (await host.Client.GetJsonAsync("/api/v1/usage"))["quotas"]!.AsArray()
            .Single(q => (string?)q!["quota"] == "predictionsPerDay")!["used"];
        var account = (await host.Client.GetJsonAsync("/api/v1/accounts"))["items"]!.AsArray().Single(a => (bool)a!["operator"]!)!["id"];
        var quotas = new { predictionsPerDay = more is null ? null : more + (int)used!, concurrentRuns = runs, bytes };
        await (await host.Client.SendAsync(HttpMethod.Patch, $"/api/v1/accounts/{account}", new { quotas })).JsonAsync();
    }

    private static int Left(HttpResponseMessage answer)
    {
        var parts = Assert.Single(answer.Headers.GetValues("RateLimit")).Split(';');
        return int.Parse(parts.Single(p => p.StartsWith("r=", StringComparison.Ordinal))[2..], CultureInfo.InvariantCulture);
    }
}
