using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using Headstart.Tests.Fetching;
using Headstart.Tests.Training;
using Headstart.Tests.Uploads;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Tests.Access;

/// <summary>What an account may store.</summary>
public sealed class QuotaTests(TestHost host) : IClassFixture<TestHost>
{
    [Fact]
    public async Task An_upload_is_taken_as_far_as_it_fits_and_the_rest_is_named()
    {
        using var client = await AccountAsync(new { images = 3 });
        var model = await client.NewModelAsync("cats");

        var answer = await SendAsync(client, model, 1, 2, 3, 4, 5);
        var body = await answer.JsonAsync();

        Assert.Equal((3, 2), (body["accepted"]!.AsArray().Count, body["rejected"]!.AsArray().Count));
        Assert.All(body["rejected"]!.AsArray(), r => Assert.Equal("quota-exceeded", (string?)r!["reason"]));
        Assert.Equal(["4.jpg", "5.jpg"], body["rejected"]!.AsArray().Select(r => (string?)r!["fileName"]));
        Assert.Equal(("\"images\";q=3", "\"images\";r=0"), (Header(answer, "RateLimit-Policy"), Header(answer, "RateLimit")));
        Assert.Equal((3, 3), await UseAsync(client, "images"));
    }

    [Fact]
    public async Task A_full_account_is_told_so_and_has_room_again_when_something_is_deleted()
    {
        using var client = await AccountAsync(new { images = 1 });
        var model = await client.NewModelAsync("cats");
        var first = (await (await SendAsync(client, model, 1)).JsonAsync())["accepted"]![0]!;

        var problem = await (await SendAsync(client, model, 2)).ProblemAsync(HttpStatusCode.PaymentRequired, "quota-exceeded");
        Assert.Equal(("images", 1, 1), ((string?)problem["quota"], (int?)problem["limit"], (int?)problem["used"]));
        Assert.True((bool)(await (await SendAsync(client, model, 1)).JsonAsync())["accepted"]![0]!["alreadyThere"]!); // needs no room

        Assert.Equal(HttpStatusCode.NoContent, (await client.SendAsync(HttpMethod.Delete, $"{model}/images/{first["id"]}")).StatusCode);
        var second = (await (await SendAsync(client, model, 2)).JsonAsync())["accepted"]![0]!;
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"{model}/images/{second["id"]}/content", Api.Cancel)).StatusCode);
        await client.SendAsync(HttpMethod.Delete, model);
        Assert.Equal((0, 1), await UseAsync(client, "images"));
    }

    [Fact]
    public async Task Bytes_are_limited_too_and_what_is_smaller_may_still_fit()
    {
        var (small, large) = (Pictures.Jpeg(1), Pictures.Jpeg(2, 400, 400));
        using var client = await AccountAsync(new { bytes = large.Length });
        var model = await client.NewModelAsync("cats");
        using var form = Api.Form("cats", ("small.jpg", small), ("large.jpg", large), ("another.jpg", Pictures.Jpeg(3)));

        var body = await (await client.PostAsync($"{model}/images", form, Api.Cancel)).JsonAsync();

        Assert.Equal("large.jpg", (string?)Assert.Single(body["rejected"]!.AsArray())!["fileName"]);
        Assert.Equal((small.Length + Pictures.Jpeg(3).Length, large.Length), await UseAsync(client, "bytes"));
    }

    [Fact]
    public async Task What_does_not_fit_is_not_kept_on_the_disk()
    {
        var first = Pictures.Jpeg(1);
        using var tight = await AccountAsync(new { bytes = first.Length + 1 });
        var model = await tight.NewModelAsync("cats");
        await SendAsync(tight, model, 1); // leaves one byte
        var before = Blobs();

        await (await SendAsync(tight, model, 901, 902, 903)).ProblemAsync(HttpStatusCode.PaymentRequired, "quota-exceeded");

        Assert.Equal(before, Blobs());
        using var few = await AccountAsync(new { images = 1 });
        var many = 60 + (2 * Environment.ProcessorCount); // more than a batch and what is under way beside it
        using var form = Api.Form("cats", Enumerable.Range(9_000, many).Select(i => ($"{i}.png", Pictures.Tiny(i))));
        await (await few.PostAsync($"{await few.NewModelAsync("cats")}/images", form, Api.Cancel)).JsonAsync();
        Assert.InRange(Blobs() - before, 1, 51 + Environment.ProcessorCount);

        int Blobs() => Directory.GetFiles(Path.Combine(host.DataFolder, "blobs"), "*", SearchOption.AllDirectories).Length;
    }

    [Fact]
    public async Task Uploads_at_the_same_time_to_several_models_do_not_exceed_it_together()
    {
        using var client = await AccountAsync(new { images = 10 });
        var models = new[] { await client.NewModelAsync("cats"), await client.NewModelAsync("cats") };

        var answers = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(i => SendAsync(client, models[i % 2], [.. Enumerable.Range(10 * i, 5)])));

        Assert.All(answers, a => Assert.True(a.StatusCode is HttpStatusCode.OK or HttpStatusCode.PaymentRequired, a.StatusCode.ToString()));
        Assert.Equal((10, 10), await UseAsync(client, "images"));
        var lists = await Task.WhenAll(models.Select(m => client.GetJsonAsync($"{m}/images")));
        Assert.Equal(10, lists.Sum(l => l["items"]!.AsArray().Count));
    }

    [Fact]
    public async Task Images_and_models_deleted_and_uploaded_at_the_same_time_leave_the_right_counts()
    {
        using var client = await AccountAsync(new { images = 1_000 });
        for (var round = 0; round < 3; round++)
        {
            var (model, doomed) = (await client.NewModelAsync("cats"), await client.NewModelAsync("cats"));
            var there = (await (await SendAsync(client, model, 1, 2, 3, 4)).JsonAsync())["accepted"]!.AsArray()
                .Select(i => (string)i!["id"]!).ToList();
            var gone = (await (await SendAsync(client, doomed, 1, 2, 3, 4)).JsonAsync())["accepted"]!.AsArray()
                .Select(i => (string)i!["id"]!).ToList();

            var answers = await Task.WhenAll([
                .. there.Select(id => client.SendAsync(HttpMethod.Delete, $"{model}/images/{id}")), SendAsync(client, model, 5, 6, 7),
                .. gone.Select(id => client.SendAsync(HttpMethod.Delete, $"{doomed}/images/{id}")),
                client.SendAsync(HttpMethod.Delete, doomed)]);

            Assert.All(answers, a => Assert.True((int)a.StatusCode < 500, a.StatusCode.ToString()));
            Assert.Equal(3 * (round + 1), (await UseAsync(client, "images")).Used);
        }

        Assert.True(await host.QueryAsync(db => db.Models.AllAsync(m => m.Examples == db.Examples.Count(i => i.ModelId == m.Id)
            && m.ExampleBytes == db.Examples.Where(i => i.ModelId == m.Id).Sum(i => (long)i.Bytes), Api.Cancel)));
    }

    [Fact]
    public async Task Imports_obey_and_list_what_did_not_fit()
    {
        using var client = await AccountAsync(new { images = 2 });
        var model = await client.NewModelAsync("cats");
        using var zip = new MemoryStream();
        using (var archive = new System.IO.Compression.ZipArchive(zip, System.IO.Compression.ZipArchiveMode.Create, leaveOpen: true))
        {
            for (var i = 0; i < 5; i++)
            {
                await using var entry = await archive.CreateEntry($"cats/{i}.jpg").OpenAsync(Api.Cancel);
                await entry.WriteAsync(Pictures.Jpeg(i), Api.Cancel);
            }
        }

        var import = await client.ImportAsync(model, UploadCalls.Body("application/zip", zip.ToArray()), "?async=true");

        Assert.Equal((2, 3), ((int)import["accepted"]!, (int)import["rejected"]!));
        Assert.All(await client.RejectionsAsync(model, import), line => Assert.EndsWith("quota-exceeded", line));
    }

    [Fact]
    public async Task Uploads_that_wait_as_imports_are_limited_by_the_quota_of_bytes()
    {
        await using var web = new WebPages();
        var released = new TaskCompletionSource();
        var slow = web.Lay("/slow.png", async http =>
        {
            await released.Task;
            await http.Response.Body.WriteAsync(Pictures.Tiny(1));
        });
        var (first, second) = (List(slow, ""), List(web.Lay("/2.png", Pictures.Tiny(2)), new string('x', 2_000)));
        using var client = await AccountAsync(new { bytes = second.Length + 10 });
        var model = await client.NewModelAsync("cats");
        try
        {
            var import = await client.StartImportAsync(model, UploadCalls.Body("application/json", first), "?async=true");

            var problem = await (await client.SendImagesAsync(model, UploadCalls.Body("application/json", second), "?async=true"))
                .ProblemAsync(HttpStatusCode.PaymentRequired, "quota-exceeded");

            Assert.Equal(("bytes", first.Length), ((string?)problem["quota"], (int?)problem["used"]));
            Assert.Contains("unfinished imports", (string?)problem["detail"]);
            released.SetResult();
            Assert.Equal(1, (int)(await client.EndOfImportAsync(model, import))["accepted"]!);
            import = await client.ImportAsync(model, UploadCalls.Body("application/json", second), "?async=true");
            Assert.Equal(1, (int)import["accepted"]!);
        }
        finally
        {
            released.TrySetResult();
        }

        static string List(string url, string name) => $$"""{"images":[{"url":"{{url}}","category":"cats","fileName":"{{name}}"}]}""";
    }

    [Fact]
    public async Task Texts_are_examples_as_well()
    {
        using var client = await AccountAsync(new { images = 2 });
        var model = await client.NewTextModelAsync("pos", "neg");
        var body = await (await client.PostAsync($"{model}/texts",
            new { texts = new[] { new { text = "one" }, new { text = "two" }, new { text = "three" } } })).JsonAsync();
        Assert.Equal((2, "quota-exceeded", 2), (body["accepted"]!.AsArray().Count, (string?)body["rejected"]![0]!["reason"],
            (int)body["rejected"]![0]!["index"]!));
        await (await client.PostAsync($"{model}/texts", new { texts = new[] { new { text = "four" } } }))
            .ProblemAsync(HttpStatusCode.PaymentRequired, "quota-exceeded");
        await (await client.PostAsync($"{model}/feedback", new { text = "five", category = "pos" }))
            .ProblemAsync(HttpStatusCode.PaymentRequired, "quota-exceeded");
    }

    [Fact]
    public async Task Models_are_limited_also_when_they_come_at_the_same_time_or_as_NanoNets_makes_them()
    {
        using var client = await AccountAsync(new { models = 2 });

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => client.PostAsync("/api/v1/models", new { name = $"m{i}" })));

        Assert.Equal(2, answers.Count(a => a.StatusCode == HttpStatusCode.Created));
        var problem = await answers.First(a => a.StatusCode != HttpStatusCode.Created)
            .ProblemAsync(HttpStatusCode.PaymentRequired, "quota-exceeded");
        Assert.Contains("2 models", (string?)problem["detail"]);
        using var form = new FormUrlEncodedContent([new("categories", "a,b")]);
        Assert.Equal(HttpStatusCode.PaymentRequired, (await client.PostAsync("/api/v2/ImageCategorization/Model/", form, Api.Cancel))
            .StatusCode);
    }

    [Fact]
    public async Task Without_quotas_no_header_speaks_of_them()
    {
        using var answer = await host.Client.PostAsync("/api/v1/models", new { name = "Free" });
        Assert.False(answer.Headers.Contains("RateLimit") || answer.Headers.Contains("RateLimit-Policy"));
        Assert.All((await host.Client.GetJsonAsync("/api/v1/usage"))["quotas"]!.AsArray(), q => Assert.Null(q!["limit"]));
    }

    private async Task<HttpClient> AccountAsync(object quotas)
    {
        var account = await (await host.Client.PostAsync("/api/v1/accounts", new { name = "limited", quotas }))
            .JsonAsync(HttpStatusCode.Created);
        return host.ClientWith((string)account["key"]!);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string model, params int[] pictures)
    {
        using var form = Api.Form("cats", pictures.Select(p => ($"{p}.jpg", Pictures.Jpeg(p))));
        return await client.PostAsync($"{model}/images", form, Api.Cancel);
    }

    private static async Task<(int Used, int? Limit)> UseAsync(HttpClient client, string quota)
    {
        JsonNode use = (await client.GetJsonAsync("/api/v1/usage"))["quotas"]!.AsArray().Single(q => (string?)q!["quota"] == quota)!;
        return ((int)use["used"]!, (int?)use["limit"]);
    }

    private static string Header(HttpResponseMessage answer, string name) => string.Join(", ", answer.Headers.GetValues(name));
}
