using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Headstart.Access;
using Headstart.Tests.Backbones;
using Headstart.Tests.Uploads;
using Headstart.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Access;

/// <summary>Who changed what.</summary>
public sealed class AuditTests(TestHost host) : IClassFixture<TestHost>
{
    [Fact]
    public async Task A_change_is_recorded_with_who_what_and_how_it_ended_and_looking_is_not()
    {
        using var client = await host.OtherAccountAsync();
        var model = await client.NewModelAsync("cats");
        var image = (await client.AddAsync(model, "cats", Pictures.Jpeg(1))).Single()!["id"];
        await client.GetJsonAsync(model);
        await client.SendAsync(HttpMethod.Delete, $"{model}/images/{image}");
        await client.SendAsync(HttpMethod.Delete, $"{model}/images/{image}");

        var entries = await EntriesAsync(client, "", 4);
        Assert.Equal(["deleteImage 404", "deleteImage 204", "addImages 200", "createModel 201"],
            entries.Select(e => $"{e["operation"]} {e["status"]}"));
        Assert.Equal((model[^36..], (string?)image), ((string?)entries[0]["subjects"]!["id"], (string?)entries[0]["subjects"]!["imageId"]));
        Assert.Equal("{}", entries[3]["subjects"]!.ToJsonString());
        Assert.All(entries, e => Assert.Equal(("other", "127.0.0.1"), ((string?)e["keyName"], (string?)e["address"])));
    }

    [Fact]
    public async Task What_was_refused_is_recorded_with_the_status_of_its_answer()
    {
        using var client = await host.OtherAccountAsync();
        var model = await client.NewModelAsync("cats");
        using var answer = await client.PostAsync($"{model}/training-runs", new { });
        var entry = (await EntriesAsync(client, "", 2))[0];
        Assert.Equal(("startTrainingRun", (int)answer.StatusCode), ((string?)entry["operation"], (int?)entry["status"]));
        Assert.InRange((int)answer.StatusCode, 400, 499);
    }

    [Fact]
    public async Task Entries_are_found_by_operation_key_and_time_and_come_in_pages()
    {
        using var client = await host.OtherAccountAsync();
        var key = await (await client.PostAsync("/api/v1/keys", new { name = "second" })).JsonAsync(HttpStatusCode.Created);
        using var second = host.ClientWith((string)key["key"]!);
        await second.NewModelAsync("cats");
        await client.NewModelAsync("cats");
        await client.NewModelAsync("cats");

        Assert.Equal("createKey", (string?)Assert.Single(await EntriesAsync(client, "&operation=createKey", 1))["operation"]);
        Assert.Equal("second", (string?)Assert.Single(await EntriesAsync(client, $"&key={key["id"]}", 1))["keyName"]);
        var all = await EntriesAsync(client, "", 4);
        Assert.Equal(2, (await EntriesAsync(client, $"&since={Uri.EscapeDataString((string)all[1]["at"]!)}", 2)).Count);
        Assert.Equal(2, (await EntriesAsync(client, $"&until={Uri.EscapeDataString((string)all[1]["at"]!)}", 2)).Count);
        var page = await client.GetJsonAsync("/api/v1/audit?limit=3");
        var rest = await client.GetJsonAsync($"/api/v1/audit?limit=3&after={page["next"]}");
        Assert.Equal(all.Select(e => (string?)e["id"]), page["items"]!.AsArray().Concat(rest["items"]!.AsArray())
            .Select(e => (string?)e!["id"]));
    }

    [Fact]
    public async Task No_secret_is_in_it_and_what_was_not_allowed_did_not_happen()
    {
        using var client = await host.OtherAccountAsync();
        await (await client.PostAsync("/api/v1/keys?secret=in-the-query", new { name = "plain" }))
            .ProblemAsync(HttpStatusCode.BadRequest, "unknown-parameter");
        var key = await (await client.PostAsync("/api/v1/keys", new { name = "plain", scopes = new[] { "read" } }))
            .JsonAsync(HttpStatusCode.Created);
        using var reader = host.ClientWith((string)key["key"]!);
        await (await reader.PostAsync("/api/v1/models", new { name = "m" })).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        await (await reader.GetAsync("/api/v1/audit", Api.Cancel)).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");

        var text = string.Concat((await EntriesAsync(client, "", 2)).Select(e => e.ToJsonString()));
        Assert.DoesNotContain((string)key["key"]!, text);
        Assert.DoesNotContain("in-the-query", text);
    }

    [Fact]
    public async Task What_another_protocol_changes_is_recorded_too()
    {
        using var client = await host.OtherAccountAsync();
        using var form = new FormUrlEncodedContent([new("categories", "a,b")]);
        (await client.PostAsync("/api/v2/ImageCategorization/Model/", form, Api.Cancel)).EnsureSuccessStatusCode();
        Assert.Equal("POST /api/v2/ImageCategorization/Model", (string?)Assert.Single(await EntriesAsync(client, "", 1))["operation"]);
    }

    [Fact]
    public async Task What_a_page_changes_is_recorded_too()
    {
        using var admin = await host.OtherAccountAsync();
        var key = await (await admin.PostAsync("/api/v1/keys", new { name = "person" })).JsonAsync(HttpStatusCode.Created);
        using var page = new HttpClient(host.Services.GetRequiredService<OwnApi>(),
            disposeHandler: false)
        { BaseAddress = new("http://headstart/") };
        using var request = new HttpRequestMessage(HttpMethod.Post,
            "/api/v1/models")
        { Content = JsonContent.Create(new { name = "From a page" }) };
        request.Options.Set(OwnApi.KeyHash, Convert.ToHexStringLower(Secrets.Hash((string)key["key"]!)));
        using var answer = await page.SendAsync(request, Api.Cancel);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);

        var entry = (await EntriesAsync(admin, "", 2))[0];
        Assert.Equal(("createModel", "person", 201), ((string?)entry["operation"], (string?)entry["keyName"], (int?)entry["status"]));
    }

    [Fact]
    public async Task The_entry_is_there_before_the_work_begins()
    {
        using var client = await host.OtherAccountAsync();
        Task<HttpResponseMessage> answer = null!;
        await host.QueryAsync(async db =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Api.Cancel);
            // so the work cannot go on, as if the process died in it
            await db.Database.ExecuteSqlAsync($"LOCK TABLE models IN EXCLUSIVE MODE", Api.Cancel);
            answer = client.PostAsync("/api/v1/models", new { name = "Held" });
            while (!await db.AuditEntries.AnyAsync(e => e.Operation == "createModel" && e.Status == null, Api.Cancel))
            {
                await Task.Delay(20, Api.Cancel);
            }

            return 0;
        });
        await (await answer).JsonAsync(HttpStatusCode.Created);
        Assert.Equal(201, (int?)Assert.Single(await EntriesAsync(client, "", 1))["status"]);
    }

    [Fact]
    public async Task What_is_too_old_is_deleted()
    {
        using var client = await host.OtherAccountAsync();
        await client.NewModelAsync("cats");
        await client.NewModelAsync("cats");
        var old = Guid.Parse((string)(await EntriesAsync(client, "", 2))[1]["id"]!);
        await host.QueryAsync(db => db.Database.ExecuteSqlAsync(
            $"UPDATE audit_entries SET at = now() - interval '366 days' WHERE id = {old}", Api.Cancel));

        await host.Services.GetRequiredService<AuditPruning>().PruneAsync(Api.Cancel);

        Assert.NotEqual(old.ToString(), (string?)Assert.Single(await EntriesAsync(client, "", 1))["id"]);
    }

    /// <summary>Exactly so many, each with its status, which is filled in a moment after the answer.</summary>
    private static async Task<List<JsonNode>> EntriesAsync(HttpClient client, string filter, int count)
    {
        for (var looks = 0; ; looks++)
        {
            var items = (await client.GetJsonAsync($"/api/v1/audit?limit=200{filter}"))["items"]!.AsArray().Select(e => e!).ToList();
            if (items.TrueForAll(e => e["status"] is not null))
            {
                Assert.Equal(count, items.Count);
                return items;
            }

            Assert.True(looks < 300, $"An entry has no status: {items[0].ToJsonString()}");
            await Task.Delay(20, Api.Cancel);
        }
    }
}
