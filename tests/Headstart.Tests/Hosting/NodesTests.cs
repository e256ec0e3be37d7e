using System.Net;
using Headstart.Configuration;
using Headstart.Data;
using Headstart.Disk;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;
using Headstart.Tests.Web;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Headstart.Tests.Hosting;

/// <summary>Two web nodes and two workers on one database and one blob store, each with a data folder of its own.</summary>
[Collection("Nodes")]
public sealed class NodesTests(NodesTests.Nodes nodes)
{
    [Fact]
    public async Task What_is_trained_and_published_through_one_node_is_served_by_all()
    {
        var model = await nodes.First.Client.PetsAsync(10);
        var run = await nodes.Second.Client.TrainAsync(model);
        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.Equal(2, (int?)(await nodes.First.Client.TrainAsync(model))["version"]);

        var photograph = Pets.Cats[^1];
        foreach (var version in (int[])[1, 2, 1])
        {
            (await nodes.First.Client.PostAsync($"{model}/versions/{version}/publish", new { })).EnsureSuccessStatusCode().Dispose();
            for (var looks = 0; (int?)(await nodes.Second.Client.PredictAsync(model, photograph))["version"] != version; looks++)
            {
                Assert.True(looks < 600, "The other node serves the old version.");
                await Task.Delay(50, Api.Cancel);
            }
        }
    }

    [Fact]
    public async Task A_person_who_signed_in_on_one_node_is_signed_in_on_all()
    {
        using var browser = new Browser(nodes.First);
        (await browser.SignInAsync(Api.Key)).Dispose();
        var token = await browser.TokenAsync("/");

        using var handler = new SocketsHttpHandler { CookieContainer = browser.Cookies, AllowAutoRedirect = false };
        using var elsewhere = new HttpClient(handler) { BaseAddress = nodes.Second.Address };
        elsewhere.DefaultRequestHeaders.Add("X-Headstart-Antiforgery", token);

        await (await elsewhere.PostAsync("/api/v1/models", new { name = "By a cookie of another node" })).JsonAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task What_cookies_are_encrypted_with_is_sealed_in_the_database()
    {
        using var browser = new Browser(nodes.First);
        (await browser.SignInAsync(Api.Key)).Dispose();

        var keys = await nodes.First.QueryAsync(db => Task.FromResult(db.DataProtectionKeys.Select(k => k.Xml!).ToList()));
        Assert.NotEmpty(keys);
        Assert.All(keys, xml => Assert.Contains("<sealed", xml, StringComparison.Ordinal));
        Assert.All(keys, xml => Assert.DoesNotContain("<masterKey", xml, StringComparison.Ordinal));
        Assert.False(Directory.Exists(Path.Combine(nodes.First.DataFolder, "keys")));
    }

    [Fact]
    public async Task Every_node_hears_of_changes_and_of_everything_after_it_was_cut_off()
    {
        var announcements = nodes.Second.Services.GetRequiredService<Announcements>();
        var heard = new SemaphoreSlim(0);
        announcements.Listen(Announcement.Keys, () => heard.Release());

        await nodes.First.QueryAsync(async db =>
        {
            await Announcements.SayAsync(db, Announcement.Keys, Api.Cancel);
            return true;
        });
        Assert.True(await heard.WaitAsync(TimeSpan.FromMinutes(1), Api.Cancel));

        await nodes.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%' AND datname = "
            + "current_database()");
        Assert.True(await heard.WaitAsync(TimeSpan.FromMinutes(1), Api.Cancel), "It must look again when it is back.");
    }

    [Fact]
    public async Task A_backbone_registered_through_one_node_comes_to_all_and_goes_from_all()
    {
        await (await nodes.First.Client.RegisterAsync(RegisterTests.Network(1), "ours.onnx", ("mean", "0,0,0")))
            .JsonAsync(HttpStatusCode.Created);
        await UntilAsync(async () => (await nodes.Second.Client.BackbonesAsync())
            .Any(b => (string?)b["id"] == "ours" && (bool?)b["registered"] == true));

        Assert.Equal(HttpStatusCode.NoContent, (await nodes.Second.Client.DeleteAsync("/api/v1/backbones/ours", Api.Cancel)).StatusCode);
        await UntilAsync(async () => (await nodes.First.Client.BackbonesAsync()).All(b => (string?)b["id"] != "ours"));
        await NoFileAsync("backbones", "registered");

        await (await nodes.Second.Client.RegisterAsync(RegisterTests.Network(1), "ours.onnx", ("mean", "0,0,0")))
            .JsonAsync(HttpStatusCode.Created);
        await UntilAsync(async () => (await nodes.First.Client.BackbonesAsync()).Any(b => (string?)b["id"] == "ours"));
    }

    [Fact]
    public async Task Word_vectors_registered_through_one_node_come_to_all_and_go_from_all()
    {
        await (await nodes.First.Client.RegisterTextAsync(RegisterTextTests.Words, "words.txt")).JsonAsync(HttpStatusCode.Created);
        await UntilAsync(async () => (bool?)(await nodes.Second.Client.TextBackboneAsync("words"))?["registered"] == true);

        Assert.Equal(HttpStatusCode.NoContent, (await nodes.Second.Client.DeleteAsync($"{Register.TextPath}/words", Api.Cancel))
            .StatusCode);
        await UntilAsync(async () => await nodes.First.Client.TextBackboneAsync("words") is null);
        await NoFileAsync("backbones", "registered", "text");

        await (await nodes.Second.Client.RegisterTextAsync(RegisterTextTests.Words, "words.txt")).JsonAsync(HttpStatusCode.Created);
        await UntilAsync(async () => await nodes.First.Client.TextBackboneAsync("words") is not null);
    }

    [Fact]
    public async Task A_worker_answers_how_it_is_and_nothing_else()
    {
        using var health = await nodes.Worker.Client.GetAsync("/health/ready", Api.Cancel);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        foreach (var path in (string[])["/api/v1/models", "/", "/signin", "/v2", "/swagger/v1/swagger.json"])
        {
            using var answer = await nodes.Worker.Client.GetAsync(path, Api.Cancel);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Workers_share_the_images_of_one_run_and_it_ends_though_one_of_them_dies_over_a_part()
    {
        // Who takes a shard is written down; the first one goes to somebody who is never heard of again.
        await nodes.ExecuteAsync("""
            CREATE TABLE takers (name text, images int);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO takers VALUES (current_setting('application_name'), cardinality(NEW.images)); RETURN NEW; END $$;
            CREATE TRIGGER note AFTER UPDATE ON extraction_shards FOR EACH ROW WHEN (NEW.space <> 'fingerprint-2') EXECUTE FUNCTION note();
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.number = 0 THEN NEW.leased_until = now() + interval '2 seconds'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER die BEFORE INSERT ON extraction_shards FOR EACH ROW EXECUTE FUNCTION die();
            """);
        var model = await nodes.First.Client.NewModelAsync();
        foreach (var side in (string[])["train", "test"]) // all of it: less than a second of work is not shared
        {
            await nodes.First.Client.UploadSetAsync(model, SharedData.Folder($"datasets/hymenoptera/{side}"));
        }

        await nodes.ExecuteAsync("TRUNCATE feature_vectors");

        var run = await nodes.First.Client.TrainAsync(model);

        Assert.Equal("succeeded", (string?)run["state"]);
        var images = (await nodes.First.Client.GetJsonAsync(model))["categories"]!.AsArray().Sum(category => (int)category!["imageCount"]!);
        var takers = await nodes.QueryAsync("SELECT name || ' ' || sum(images) FROM takers GROUP BY name");
        Assert.Equal(["one", "two"], takers.Select(t => t.Split(' ')[0]).Order());
        Assert.Equal(images, takers.Sum(t => int.Parse(t.Split(' ')[1])));
        Assert.Equal([$"{images}"], await nodes.QueryAsync("SELECT count(*)::text FROM feature_vectors WHERE space <> 'fingerprint-2'"));
        Assert.Equal(["0"], await nodes.QueryAsync("SELECT count(*)::text FROM extraction_shards"));
        Assert.Equal(["true"], await nodes.QueryAsync(
            "SELECT (count(*) > 0)::text FROM feature_vectors WHERE space = 'fingerprint-2' AND length(\"values\") = 1024"));
    }

    [Fact]
    public async Task Images_whose_parts_are_lost_are_computed_all_the_same()
    {
        await nodes.ExecuteAsync("""
            CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                DELETE FROM extraction_shards WHERE extraction_id = NEW.extraction_id AND number = NEW.number; RETURN NULL; END $$;
            CREATE TRIGGER lose AFTER INSERT ON extraction_shards FOR EACH ROW WHEN (NEW.number > 0) EXECUTE FUNCTION lose();
            """);
        var model = await nodes.First.Client.NewModelAsync();
        await nodes.First.Client.UploadSetAsync(model, SharedData.Folder("datasets/hymenoptera/train"));
        await nodes.ExecuteAsync("TRUNCATE feature_vectors");

        var run = await nodes.First.Client.TrainAsync(model);

        await nodes.ExecuteAsync("DROP TRIGGER lose ON extraction_shards");
        Assert.Equal("succeeded", (string?)run["state"]);
        var images = (await nodes.First.Client.GetJsonAsync(model))["categories"]!.AsArray().Sum(category => (int)category!["imageCount"]!);
        Assert.Equal([$"{images}"], await nodes.QueryAsync("SELECT count(*)::text FROM feature_vectors WHERE space <> 'fingerprint-2'"));
    }

    [Fact]
    public async Task Workers_share_the_fits_of_one_run_and_it_ends_though_one_of_them_dies_over_one()
    {
        // Who makes a fit is written down; the first one of each kind goes to somebody who is never heard of again.
        await nodes.ExecuteAsync("""
            CREATE TABLE fitters (name text, work uuid, number int);
            CREATE FUNCTION note_fit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO fitters VALUES (current_setting('application_name'), NEW.work_id, NEW.number); RETURN NEW; END $$;
            CREATE TRIGGER note_fit AFTER UPDATE ON fit_shards FOR EACH ROW WHEN (NEW.result IS NOT NULL) EXECUTE FUNCTION note_fit();
            CREATE FUNCTION die_fit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.number = 0 THEN NEW.leased_until = now() + interval '2 seconds'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER die_fit BEFORE INSERT ON fit_shards FOR EACH ROW EXECUTE FUNCTION die_fit();
            """);
        var model = await nodes.First.Client.NewModelAsync();
        await nodes.First.Client.UploadSetAsync(model, SharedData.Folder("datasets/hymenoptera/train"));

        var run = await nodes.First.Client.TrainAsync(model);

        Assert.Equal("succeeded", (string?)run["state"]);
        Assert.Equal(["one", "two"], await nodes.QueryAsync("SELECT DISTINCT name FROM fitters ORDER BY name"));
        var made = await nodes.QueryAsync("SELECT count(*) || ' ' || count(DISTINCT number) || ' ' || min(number) FROM fitters GROUP BY "
            + "work ORDER BY work");
        Assert.Equal(2, made.Count); // cross-validation and the learning curve
        Assert.All(made, work => Assert.Equal(work.Split(' ')[0], work.Split(' ')[1])); // each once
        Assert.All(made, work => Assert.EndsWith(" 0", work, StringComparison.Ordinal));
        Assert.Equal(["0"], await nodes.QueryAsync("SELECT count(*)::text FROM fit_shards"));

        await nodes.ExecuteAsync("DROP TRIGGER note_fit ON fit_shards; DROP TRIGGER die_fit ON fit_shards");

        var report = await nodes.First.Client.GetJsonAsync($"{model}/versions/{run["version"]}/report");
        Assert.InRange((double)report["accuracy"]!, 0.85, 1);
        Assert.Equal(5, report["learningCurve"]!["points"]!.AsArray().Count);
    }

    /// <summary>Files go a moment after the list no longer has them.</summary>
    private Task NoFileAsync(params string[] folder) =>
        UntilAsync(() => Task.FromResult(Directory.GetFiles(Path.Combine([nodes.First.DataFolder, .. folder])).Length == 0));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var looks = 0; !await holds(); looks++)
        {
            Assert.True(looks < 1_200, "It does not come true.");
            await Task.Delay(50, Api.Cancel);
        }
    }

    public sealed class Nodes(TestPostgres postgres) : IAsyncLifetime
    {
        private readonly List<Node> _all = [];
        private string _database = "";

        public TestHost First => _all[0];

        public TestHost Second => _all[1];

        public TestHost Worker => _all[2];

        public async ValueTask InitializeAsync()
        {
            _database = await postgres.CreateDatabaseAsync();
            foreach (var (name, roles) in ((string, string)[])[("web one", "web"), ("web two", "web"), ("one", "worker"),
                ("two", "worker")])
            {
                var node = new Node(postgres, $"{_database};Application Name={name}", roles, _all.Count > 0 ? _all[0].DataFolder : null);
                _all.Add(node);
                await node.InitializeAsync();
            }
        }

        public async Task ExecuteAsync(string sql) => await QueryAsync(sql);

        public async Task<List<string>> QueryAsync(string sql)
        {
            await using var connection = new NpgsqlConnection(_database + ";Pooling=false");
            await connection.OpenAsync(Api.Cancel);
            await using var command = new NpgsqlCommand(sql, connection);
            await using var reader = await command.ExecuteReaderAsync(Api.Cancel);
            var rows = new List<string>();
            while (await reader.ReadAsync(Api.Cancel))
            {
                rows.Add($"{reader.GetValue(0)}");
            }

            return rows;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var node in _all.AsEnumerable().Reverse())
            {
                await node.DisposeAsync();
            }
        }
    }

    [CollectionDefinition("Nodes")]
    public sealed class Shared : ICollectionFixture<Nodes>;

    private sealed class Node(TestPostgres postgres, string database, string roles, string? shared) : TestHost(postgres)
    {
        protected override Task<string> DatabaseAsync()
        {
            if (shared is not null)
            {
                Directory.CreateSymbolicLink(Path.Combine(DataFolder, "blobs"),
                    Directory.CreateDirectory(Path.Combine(shared, "blobs")).FullName);
            }

            return Task.FromResult(database);
        }

        protected override IEnumerable<(string, string)> Settings =>
            [("Headstart:Roles", roles), ("Headstart:SharedSecret", "a secret of the tests, long enough for it")];
    }
}
