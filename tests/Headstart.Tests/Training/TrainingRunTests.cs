using System.Net;
using System.Text.Json.Nodes;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;
using NetVips;

namespace Headstart.Tests.Training;

[Collection<TrainingHost>]
public sealed class TrainingRunTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task Training_with_too_little_is_refused_with_what_is_missing()
    {
        var empty = await _client.NewModelAsync();
        await RefusedAsync(empty);

        var oneCategory = await _client.NewModelAsync("cats");
        await _client.UploadAsync(oneCategory, "cats", Pets.Cats);
        await RefusedAsync(oneCategory);

        async Task RefusedAsync(string model) =>
            await (await _client.PostAsync($"{model}/training-runs", new { }))
                .ProblemAsync(HttpStatusCode.UnprocessableEntity, "too-few-images");
    }

    [Theory]
    [InlineData("""{"backbone":"resnet-900"}""", "unknown-backbone")]
    [InlineData("""{"maxLatencyMs":0.0001}""", "latency-too-low")]
    [InlineData("""{"maxLatencyMs":-1}""", "invalid-max-latency")]
    [InlineData("""{"maxTrainingSeconds":0}""", "invalid-max-training-seconds")]
    public async Task A_request_that_cannot_be_met_is_refused_at_once(string body, string type)
    {
        var model = await _client.PetsAsync(2);
        await (await _client.PostAsync($"{model}/training-runs", JsonNode.Parse(body)!))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, type);
    }

    [Fact]
    public async Task Two_images_a_category_are_enough_for_a_version_that_says_how_little_it_knows()
    {
        var model = await _client.PetsAsync(2);
        var run = await _client.TrainAsync(model);

        Assert.Equal("succeeded", (string?)run["state"]);
        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        Assert.Equal(("crossValidation", 4), ((string?)report["accuracyFrom"], (int?)report["crossValidation"]!["images"]));
        Assert.True((double)report["accuracyInterval"]![1]! - (double)report["accuracyInterval"]![0]! > 0.4, report.ToJsonString());
    }

    [Fact]
    public async Task Images_that_all_look_the_same_end_the_run_with_a_sentence()
    {
        var model = await _client.NewModelAsync("left", "right");
        foreach (var category in new[] { "left", "right" })
        {
            using var form = Api.Form(category, Enumerable.Range(0, 3).Select(i => ($"{i}.png", Grey(category + i))));
            await (await _client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();
        }

        var run = await _client.TrainAsync(model);

        Assert.Equal(("failed", false), ((string?)run["state"], string.IsNullOrEmpty((string?)run["error"])));
        Assert.Null((int?)(await _client.GetJsonAsync(model))["publishedVersion"]);

        // The same pixels with another comment: other bytes, the same picture.
        static byte[] Grey(string comment)
        {
            using var grey = Image.Black(64, 64) + 128;
            using var commented = grey.Mutate(image => image.Set(GValue.GStrType, "png-comment-0-note", comment));
            return commented.PngsaveBuffer();
        }
    }

    [Fact]
    public async Task A_category_without_images_is_left_out_and_the_run_and_the_report_say_so()
    {
        var model = await _client.NewModelAsync("cats", "dogs", "fish");
        await _client.UploadSetAsync(model, Pets.Folder, 4);
        var run = await _client.TrainAsync(model);

        var report = await _client.GetJsonAsync($"{model}/versions/1/report");
        Assert.Equal(["fish"], report["leftOut"]!.AsArray().Select(c => (string?)c));
        const string notice = "Left out, because there is nothing to learn it from: 'fish' (no images yet; add some).";
        Assert.Equal(notice, (string?)Assert.Single(run["notices"]!.AsArray()));
        Assert.Equal(notice, (string?)Assert.Single(report["notices"]!.AsArray()));
        var labels = (await _client.PredictAsync(model, Pets.Cats[0]))["predictions"]![0]!["labels"]!.AsArray();
        Assert.Equal(2, labels.Count);
    }

    [Fact]
    public async Task The_same_idempotency_key_gives_the_same_run()
    {
        var model = await _client.PetsAsync(2);
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => StartAsync("nightly")));
        Assert.Single(answers.Select(a => (string?)a["id"]).Distinct());
        Assert.NotEqual((string?)answers[0]["id"], (string?)(await StartAsync("tomorrow"))["id"]);

        async Task<JsonNode> StartAsync(string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post,
                $"{model}/training-runs")
            { Headers = { { "Idempotency-Key", key } } };
            var response = await _client.SendAsync(request, Api.Cancel);
            Assert.Equal(model + "/training-runs/" + (await response.JsonAsync(HttpStatusCode.Accepted))["id"],
                response.Headers.Location?.ToString());
            return await response.JsonAsync(HttpStatusCode.Accepted);
        }
    }

    [Fact]
    public async Task Two_runs_of_one_model_queue_behind_each_other_and_a_queued_one_can_be_cancelled()
    {
        var model = await _client.PetsAsync(4);
        var (first, second, third) = (await _client.StartRunAsync(model), await _client.StartRunAsync(model),
            await _client.StartRunAsync(model));

        var cancelled = await (await _client.PostAsync($"{model}/training-runs/{second["id"]}/cancel", new { }))
            .JsonAsync(HttpStatusCode.Accepted);

        Assert.Equal("cancelled", (string?)cancelled["state"]);
        var ended = await _client.EndOfRunAsync(model, third);
        Assert.Equal(("succeeded", 2), ((string?)ended["state"], (int?)ended["version"]));
        Assert.Equal(1, (int?)(await _client.GetJsonAsync($"{model}/training-runs/{first["id"]}"))["version"]);
        Assert.Equal("cancelled", (string?)(await _client.GetJsonAsync($"{model}/training-runs/{second["id"]}"))["state"]);
    }

    [Fact]
    public async Task A_running_run_is_cancelled_and_leaves_no_version()
    {
        var model = await _client.PetsAsync();
        var id = Guid.Parse(model[^36..]);
        JsonNode run;
        await using (var held = await HeldRow.TakeAsync(host, $"SELECT FROM models WHERE id = {id} FOR KEY SHARE"))
        {
            run = await _client.StartRunAsync(model);
            await held.WaitersAsync(1); // the worker, when it publishes
            await (await _client.PostAsync($"{model}/training-runs/{run["id"]}/cancel", new { })).JsonAsync(HttpStatusCode.Accepted);
        }

        Assert.Equal("cancelled", (string?)(await _client.EndOfRunAsync(model, run))["state"]);
        Assert.Empty((await _client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray());
    }

    [Fact]
    public async Task A_run_that_may_not_take_so_long_fails_saying_so()
    {
        var model = await _client.PetsAsync();
        var run = await _client.TrainAsync(model, new { maxTrainingSeconds = 0.05 });
        Assert.Equal("failed", (string?)run["state"]);
        Assert.Contains("maxTrainingSeconds", (string?)run["error"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_show_the_run_until_it_has_ended_and_then_the_stream_ends()
    {
        var model = await _client.PetsAsync(10);
        var run = await _client.StartRunAsync(model);
        var events = new List<JsonNode>();
        await using (var stream = await _client.GetStreamAsync($"{model}/training-runs/{run["id"]}/events", Api.Cancel))
        {
            await foreach (var item in System.Net.ServerSentEvents.SseParser.Create(stream).EnumerateAsync(Api.Cancel))
            {
                events.Add(JsonNode.Parse(item.Data)!);
            }
        }

        Assert.Equal("succeeded", (string?)events[^1]["state"]);
        Assert.All(events, e => Assert.Equal((string?)run["id"], (string?)e["id"]));
        Assert.Equal(events.Select(e => (double)e["progress"]!).Order(), events.Select(e => (double)e["progress"]!));
    }

    [Fact]
    public async Task Deleting_a_model_while_it_trains_ends_its_run_and_nothing_else()
    {
        var model = await _client.PetsAsync();
        await _client.StartRunAsync(model);
        Assert.Equal(HttpStatusCode.NoContent, (await _client.DeleteAsync(model, Api.Cancel)).StatusCode);

        var other = await _client.PetsAsync(3);
        Assert.Equal("succeeded", (string?)(await _client.TrainAsync(other))["state"]);
    }

    [Fact]
    public async Task Images_deleted_or_moved_after_the_start_change_nothing_for_the_run()
    {
        var model = await _client.PetsAsync(5);
        var run = await _client.StartRunAsync(model);
        while ((string?)run["state"] == "queued"
            || !await host.QueryAsync(db => db.RunExamples.AnyAsync(i => i.RunId == Guid.Parse((string)run["id"]!))))
        {
            await Task.Delay(20, Api.Cancel);
            run = await _client.GetJsonAsync($"{model}/training-runs/{run["id"]}");
        }

        foreach (var image in (await _client.GetJsonAsync($"{model}/images?category=dogs"))["items"]!.AsArray())
        {
            await _client.DeleteAsync($"{model}/images/{image!["id"]}", Api.Cancel);
        }

        Assert.Equal("succeeded", (string?)(await _client.EndOfRunAsync(model, run))["state"]);
        Assert.Equal(10, (int?)(await _client.GetJsonAsync($"{model}/versions/1/report"))["crossValidation"]!["images"]);
    }

    [Fact]
    public async Task A_run_whose_worker_died_is_found_by_the_sweep_and_one_that_keeps_dying_is_given_up()
    {
        var (lost, hopeless) = (await _client.PetsAsync(3), await _client.PetsAsync(3));
        var (lostRun, hopelessRun) = (await AbandonedAsync(lost, attempts: 1), await AbandonedAsync(hopeless, attempts: 5));

        Assert.Equal("succeeded", (string?)(await _client.EndOfRunAsync(lost, lostRun))["state"]);
        var given = await _client.EndOfRunAsync(hopeless, hopelessRun);
        Assert.Equal("failed", (string?)given["state"]);
        Assert.Contains("5 times", (string?)given["error"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_limit_of_a_run_counts_from_its_first_start_and_not_again_from_that_of_its_next_worker()
    {
        var model = await _client.PetsAsync(3);

        var late = await _client.EndOfRunAsync(model, await AbandonedAsync(model, attempts: 1, secondsAgo: 3600, limit: 1800));
        var inTime = await _client.EndOfRunAsync(model, await AbandonedAsync(model, attempts: 1, secondsAgo: 3600, limit: 36_000));

        Assert.Equal(("failed", "succeeded"), ((string?)late["state"], (string?)inTime["state"]));
        Assert.Contains("maxTrainingSeconds (1800 s)", (string?)late["error"], StringComparison.Ordinal);
    }

    /// <summary>A run as a worker on a machine that lost its power leaves it: running, the lease run out, nobody told.</summary>
    private async Task<JsonNode> AbandonedAsync(string model, int attempts, int secondsAgo = 60, double? limit = null)
    {
        var id = Guid.CreateVersion7();
        await host.QueryAsync(async db =>
        {
            db.Add(new TrainingRun
            {
                Id = id,
                ModelId = Guid.Parse(model.Split('/')[^1]),
                State = JobState.Running,
                MaxTrainingSeconds = limit,
                CreatedAt = DateTime.UnixEpoch,
            });
            await db.SaveChangesAsync();
            return await db.Database.ExecuteSqlAsync(
                $"""
                UPDATE training_runs
                SET attempts = {attempts}, lease_owner = gen_random_uuid(), lease_until = 'epoch', enqueued_at = 'epoch',
                    started_at = now() - {secondsAgo} * interval '1 second'
                WHERE id = {id}
                """);
        });
        return await _client.GetJsonAsync($"{model}/training-runs/{id}");
    }
}
