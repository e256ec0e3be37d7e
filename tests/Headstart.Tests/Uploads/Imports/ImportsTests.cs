using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Access;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Fetching;
using Headstart.Tests.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Tests.Uploads.Imports;

public sealed class ImportsTests(ImportsTests.FetchingHost host) : IClassFixture<ImportsTests.FetchingHost>
{
    private readonly HttpClient _client = host.Client;

    [Theory]
    [InlineData("application/json", """{"images":[{"url":"URL/1.png","category":"cats"},{"url":"URL/2.png","categories":["dogs"],"fileName":"two.png"},{"url":"URL/none.png","category":"cats"},{"url":"nonsense","category":"cats"},{"url":"http://10.0.0.1/a.png","category":"cats"},{"url":"URL/text.png","category":"cats"},{"url":"URL/1.png","category":"wolves"}]}""")]
    [InlineData("application/x-ndjson",
        "{\"url\":\"URL/1.png\",\"category\":\"cats\"}\n{\"url\":\"URL/2.png\",\"categories\":[\"dogs\"],\"fileName\":\"two.png\"}\r\n{\"url\":\"URL/none.png\",\"category\":\"cats\"}\n{\"url\":\"nonsense\",\"category\":\"cats\"}\n{\"url\":\"http://10.0.0.1/a.png\",\"category\":\"cats\"}\n{\"url\":\"URL/text.png\",\"category\":\"cats\"}\n{\"url\":\"URL/1.png\",\"category\":\"wolves\"}")]
    [InlineData("text/csv",
        "\uFEFFURL,category,file\r\nURL/1.png,cats,\r\n\"URL/2.png\",\"dogs\",two.png\r\nURL/none.png,cats,\r\nnonsense,cats,\r\nhttp://10.0.0.1/a.png,cats,\r\nURL/text.png,cats,\r\nURL/1.png,wolves,\r\n")]
    [InlineData("text/csv; header=present",
        "category;url;filename\ncats;URL/1.png\ndogs;URL/2.png;two.png\ncats;URL/none.png\ncats;nonsense\ncats;http://10.0.0.1/a.png\ncats;URL/text.png\nwolves;URL/1.png")]
    public async Task A_list_of_addresses_is_fetched_in_the_background(string type, string list)
    {
        await using var web = Web();
        var model = await _client.NewModelAsync("cats", "dogs");

        var import = await _client.ImportAsync(model,
            UploadCalls.Body(type, list.Replace("URL/", web.Address + "/", StringComparison.Ordinal)));

        Assert.Equal(("succeeded", 7, 2, 5), ((string?)import["state"], (int)import["total"]!, (int)import["accepted"]!,
            (int)import["rejected"]!));
        Assert.Equal(["1.png cats", "two.png dogs"], (await _client.ImagesAsync(model)).Select(i => i[..i.LastIndexOf(' ')]));
        Assert.Equal(["2 none.png not-found", "3 nonsense invalid-url", "4 a.png private-address", "5 text.png not-an-image",
            "6  unknown-category"],
            await _client.RejectionsAsync(model, import, limit: 2));
        // a category that is refused is not fetched for
        Assert.DoesNotContain(web.Asked, asked => asked == "/1.png" && web.Asked.Count(a => a == asked) > 1);
        var origin = (await _client.GetJsonAsync($"{model}/images"))["items"]!.AsArray()
            .Single(i => (string?)i!["category"] == "cats")!["origin"]!;
        Assert.Equal(web.Address + "/1.png", (string?)origin["url"]);
    }

    [Fact]
    public async Task What_was_asked_for_decides_between_an_answer_at_once_and_an_import()
    {
        await using var web = Web();
        var model = await _client.NewModelAsync();
        var list = $$"""{"images":[{"url":"{{web.Address}}/1.png","category":"cats"}]}""";
        var zip = Batches.Zip(Enumerable.Range(10, 4).Select(i => ($"cats/{i}.png", Pictures.Tiny(i))));

        Assert.Single((await (await _client.SendImagesAsync(model, UploadCalls.Body("application/json", list)))
            .JsonAsync())["accepted"]!.AsArray());
        Assert.Equal(1, (int)(await _client.ImportAsync(model, UploadCalls.Body("application/json", list),
            "?async=true"))["alreadyThere"]!);
        Assert.Equal(4, (await (await _client.SendImagesAsync(model, Batches.Archive(zip))).JsonAsync())["accepted"]!.AsArray().Count);
        Assert.Equal(4, (int)(await _client.ImportAsync(model, Batches.Archive(zip), "?async=true"))["alreadyThere"]!);
        // the host of this test answers up to 20 at once
        var many = Batches.Zip(Enumerable.Range(20, 21).Select(i => ($"cats/{i}.png", Pictures.Tiny(i))));
        Assert.Equal(21, (int)(await _client.ImportAsync(model, Batches.Archive(many)))["accepted"]!);
        await (await _client.SendImagesAsync(model,
            Batches.Archive(Batches.Zip(Enumerable.Range(0, 31).Select(i => ($"cats/{i}.png", Pictures.Tiny(i))))), "?async=false"))
            .ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-many-files");
        await (await _client.SendImagesAsync(model, Batches.Archive(zip), "?async=perhaps"))
            .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
    }

    [Fact]
    public async Task A_form_may_be_an_import_too()
    {
        var model = await _client.NewModelAsync();
        using var form = new Form().Field("category", "cats").File("a.png", Pictures.Tiny(1)).File("b.txt", "text"u8.ToArray())
            .Field("category", "dogs").File("c.png", Pictures.Tiny(2)).Content();
        var import = await _client.ImportAsync(model, form, "?async=true");
        Assert.Equal((3, 2, 1), ((int)import["total"]!, (int)import["accepted"]!, (int)import["rejected"]!));
        Assert.Equal(["a.png cats", "c.png dogs"], (await _client.ImagesAsync(model)).Select(i => i[..i.LastIndexOf(' ')]));
        Assert.Equal(["1 b.txt unsupported-format"], await _client.RejectionsAsync(model, import));
    }

    [Fact]
    public async Task An_import_can_be_watched_to_its_end_and_its_body_goes_with_it()
    {
        var model = await _client.NewModelAsync();
        var import = await _client.StartImportAsync(model,
            Batches.Archive(Batches.Zip(Enumerable.Range(0, 300).Select(i => ($"cats/{i}.png", Pictures.Tiny(i))))));
        var events = new List<JsonNode>();
        await using (var stream = await _client.GetStreamAsync($"{UploadCalls.PathOf(model, import)}/events", Api.Cancel))
        {
            await foreach (var item in System.Net.ServerSentEvents.SseParser.Create(stream).EnumerateAsync(Api.Cancel))
            {
                events.Add(JsonNode.Parse(item.Data)!);
            }
        }

        Assert.Equal(("succeeded", 300, 1.0), ((string?)events[^1]["state"], (int)events[^1]["accepted"]!,
            (double)events[^1]["progress"]!));
        Assert.Equal(events.Select(e => (int)e["done"]!).Order(), events.Select(e => (int)e["done"]!));
        Assert.NotNull(events[^1]["finishedAt"]);
        var page = await _client.GetJsonAsync($"{model}/imports");
        Assert.Equal([(string?)import["id"]], page["items"]!.AsArray().Select(i => (string?)i!["id"]));
        for (var looks = 0; Kept() > 0; looks++)
        {
            Assert.True(looks < 600, "The body of the import stays.");
            await Task.Delay(50, Api.Cancel);
        }

        int Kept() => Directory.GetFiles(Path.Combine(host.DataFolder, "imports"), "*", SearchOption.AllDirectories).Length;
    }

    [Fact]
    public async Task A_cancelled_import_stops_and_keeps_what_it_has()
    {
        await using var web = Web();
        var gate = new TaskCompletionSource();
        web.Lay("/slow.png", _ => gate.Task);
        var model = await _client.NewModelAsync();
        var rows = Enumerable.Range(1, 2).Select(i => $"{web.Address}/{i}.png,cats")
            .Concat(Enumerable.Range(0, 100).Select(i => $"{web.Address}/slow.png?{i},cats"));
        var import = await _client.StartImportAsync(model, UploadCalls.Body("text/csv", "url,category\n" + string.Join('\n', rows)));
        while (!web.Asked.Any(asked => asked.StartsWith("/slow.png", StringComparison.Ordinal)))
        {
            await Task.Delay(20, Api.Cancel);
        }

        var cancelled = await (await _client.SendAsync(HttpMethod.Post, $"{UploadCalls.PathOf(model, import)}/cancel"))
            .JsonAsync(HttpStatusCode.Accepted);
        Assert.Equal("cancelled", (string?)cancelled["state"]);
        gate.SetResult();
        var other = await _client.ImportAsync(model, UploadCalls.Body("text/csv", $"url,category\n{web.Address}/2.png,cats\n"),
            "?async=true");
        Assert.Equal("succeeded", (string?)other["state"]);
        Assert.Equal("cancelled", (string?)(await _client.GetJsonAsync(UploadCalls.PathOf(model, import)))["state"]);
        Assert.Equal((int)(await _client.GetJsonAsync(UploadCalls.PathOf(model, import)))["done"]!, (int)cancelled["done"]!);
    }

    [Fact]
    public async Task The_same_idempotency_key_gives_the_same_import()
    {
        var model = await _client.NewModelAsync();
        var zip = Batches.Zip(("cats/1.png", Pictures.Tiny(1)));
        var answers = await Task.WhenAll(Enumerable.Range(0, 4)
            .Select(_ => _client.StartImportAsync(model, Batches.Archive(zip), "?async=true", "once")));
        Assert.Single(answers.Select(a => (string?)a["id"]).Distinct());
        Assert.NotEqual((string?)answers[0]["id"],
            (string?)(await _client.StartImportAsync(model, Batches.Archive(zip), "?async=true", "twice"))["id"]);
        await (await _client.SendImagesAsync(model, Batches.Archive(zip), "?async=true", new string('x', 201)))
            .ProblemAsync(HttpStatusCode.BadRequest, "invalid-idempotency-key");
    }

    [Fact]
    public async Task Imports_of_the_same_bytes_do_not_take_the_body_from_each_other()
    {
        var zip = Batches.Zip(Enumerable.Range(0, 60).Select(i => ($"cats/{i}.png", Pictures.Tiny(i))));
        var ended = await Task.WhenAll(Enumerable.Range(0, 12)
            .Select(async _ => await _client.ImportAsync(await _client.NewModelAsync(), Batches.Archive(zip), "?async=true")));
        Assert.All(ended, import => Assert.Equal(("succeeded", 60), ((string?)import["state"], (int)import["accepted"]!)));
    }

    [Fact]
    public async Task A_model_deleted_during_an_import_takes_it_along()
    {
        var model = await _client.NewModelAsync();
        var import = await _client.StartImportAsync(model,
            Batches.Archive(Batches.Zip(Enumerable.Range(0, 2_000).Select(i => ($"cats/{i}.png", Pictures.Tiny(i))))));
        Assert.Equal(HttpStatusCode.NoContent, (await _client.SendAsync(HttpMethod.Delete, model)).StatusCode);
        await (await _client.GetAsync(UploadCalls.PathOf(model, import), Api.Cancel))
            .ProblemAsync(HttpStatusCode.NotFound, "import-not-found");
        Assert.Equal("succeeded", (string?)(await _client.ImportAsync(await _client.NewModelAsync(),
            Batches.Archive(Batches.Zip(("cats/1.png", Pictures.Tiny(1)))), "?async=true"))["state"]);
    }

    [Fact]
    public async Task A_model_may_be_deleted_while_an_import_ends()
    {
        // Where the worker writes a second time that it has progressed.
        await host.QueryAsync(db => db.Database.ExecuteSqlRawAsync("""
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(43); RETURN NEW; END $$;
            CREATE TRIGGER hold BEFORE UPDATE OF attempts ON imports FOR EACH ROW
                WHEN (NEW.done = NEW.total AND OLD.state = 'Running' AND NEW.state = 'Running') EXECUTE FUNCTION hold();
            """, Api.Cancel));
        var model = await _client.NewModelAsync();
        await using var held = await HeldRow.TakeAsync(host, $"SELECT pg_advisory_xact_lock(43)");
        var similar = Batches.Zip(("cats/1.png", Pictures.Tiny(1)), ("Cats/2.png", Pictures.Tiny(2)));

        // The worker waits in the middle of its transaction, and the deletion for the worker, before it goes on.
        await _client.StartImportAsync(model, Batches.Archive(similar), "?async=true");
        await held.WaitersAsync(1);
        var deletion = _client.DeleteAsync(model, Api.Cancel);
        await held.WaitersAsync(2);
        await held.ReleaseAsync();

        Assert.Equal(HttpStatusCode.NoContent, (await deletion).StatusCode);
        await host.QueryAsync(db => db.Database.ExecuteSqlRawAsync("DROP TRIGGER hold ON imports; DROP FUNCTION hold", Api.Cancel));
    }

    [Fact]
    public async Task Another_account_sees_no_import()
    {
        var model = await _client.NewModelAsync();
        var zip = Batches.Zip(("cats/1.png", Pictures.Tiny(1)));
        var path = UploadCalls.PathOf(model, await _client.ImportAsync(model, Batches.Archive(zip), "?async=true"));
        using var other = await host.OtherAccountAsync();

        await (await other.SendImagesAsync(model, Batches.Archive(zip), "?async=true"))
            .ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
        await (await other.GetAsync($"{model}/imports", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
        await (await other.GetAsync(path, Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "import-not-found");
        await (await other.GetAsync($"{path}/events", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "import-not-found");
        await (await other.GetAsync($"{path}/rejections", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "import-not-found");
        await (await other.SendAsync(HttpMethod.Post, $"{path}/cancel")).ProblemAsync(HttpStatusCode.NotFound, "import-not-found");
    }

    private static WebPages Web()
    {
        var web = new WebPages();
        web.Lay("/1.png", Pictures.Tiny(1), "image/png");
        web.Lay("/2.png", Pictures.Tiny(2), "image/png");
        web.Lay("/text.png", "<html>"u8.ToArray(), "text/html");
        return web;
    }

    public sealed class FetchingHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
        [
            .. base.Settings, ("Headstart:Fetching:AllowedHosts", "127.0.0.1"), ("Headstart:Uploads:AtOnceFiles", "20"),
                ("Headstart:Uploads:AtOnceUrls", "1"), ("Headstart:Uploads:MaxFiles", "30"),
        ];
    }
}
