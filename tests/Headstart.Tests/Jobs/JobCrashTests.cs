using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.ImageSearches;
using Headstart.Tests.Processes;
using Headstart.Tests.Uploads;
using Npgsql;

namespace Headstart.Tests.Jobs;

/// <summary>The program is killed, or told to stop, in the middle of a batch, an import and a search, which go on beside each other.
/// Training runs are in CrashTests.</summary>
public sealed class JobCrashTests(JobCrashTests.Searcher searcher) : IClassFixture<JobCrashTests.Searcher>
{
    private const int Answered = 150;
    private const int Imported = 180; // and among them some that cannot be used
    private const int Found = 18;

    // While the test holds the lock the batch waits from its 65th image on and the import from its 100th; every answer that stays leaves a
    // row behind.
    private const string Triggers = """
        DROP TABLE IF EXISTS writes;
        CREATE TABLE writes (position integer);
        CREATE OR REPLACE FUNCTION hold_batch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.position >= 64 THEN PERFORM pg_advisory_xact_lock_shared(42); END IF;
            INSERT INTO writes VALUES (NEW.position);
            RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER hold BEFORE UPDATE ON batch_items FOR EACH ROW EXECUTE FUNCTION hold_batch();
        CREATE OR REPLACE FUNCTION hold_import() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.done > 100 THEN PERFORM pg_advisory_xact_lock_shared(42); END IF;
            RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER hold BEFORE UPDATE ON imports FOR EACH ROW EXECUTE FUNCTION hold_import();
        SELECT pg_advisory_lock(42);
        """;

    private readonly HostProcess _program = searcher.Program;

    private HttpClient Client => _program.Client; // another one after each start

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_host_was_at_when_it_ended_is_finished_after_the_restart_and_nothing_of_it_is_done_twice(bool killed)
    {
        Needs.Time();
        var (pets, imports, searches) = (await Client.PetsAsync(8), await Client.NewModelAsync(), await Client.NewModelAsync("things"));
        await Client.TrainAsync(pets);
        var (words, release) = (killed ? "a thing" : "another thing", new TaskCompletionSource());
        var (asked, waits) = (searcher.Catalogues.Web.Asked.Count, $"/waits/{killed}.jpg");
        LayDown(words, waits, release.Task);
        JsonNode batch, import, search;
        await using (var database = await _program.ConnectAsync())
        {
            await ExecuteAsync(database, Triggers);
            search = await (await Client.PostAsync($"{searches}/image-searches",
                new { queries = new { things = words }, perCategory = 50, train = false, sources = new[] { "openverse" } }))
                .JsonAsync(HttpStatusCode.Accepted);
            import = await Client.StartImportAsync(imports, Batches.Archive(Archive()), "?async=true");
            batch = await Client.StartBatchAsync(pets, Batches.Many(Answered));
            while (await ScalarAsync(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted")
                is not >= 2L || !searcher.Catalogues.Web.Asked.Contains(waits))
            {
                await Task.Delay(20, Api.Cancel);
            }

            await HalfAsync(pets, batch, imports, import);
            await EndAsync(database, killed);
        }

        release.SetResult();
        await _program.StartAsync();

        await BatchIsDoneAsync(pets, batch);
        await ImportIsDoneAsync(imports, import);
        await SearchIsDoneAsync(searches, search, [.. searcher.Catalogues.Web.Asked.Skip(asked)]);
    }

    private async Task HalfAsync(string pets, JsonNode batch, string imports, JsonNode import)
    {
        var half = await Client.GetJsonAsync(Batches.PathOf(pets, batch));
        Assert.Equal(("running", 64), ((string?)half["state"], (int)half["done"]!));
        Assert.Equal(64, (await Client.LinesAsync(pets, batch)).Length); // what is done so far may be read

        half = await Client.GetJsonAsync(UploadCalls.PathOf(imports, import));
        var done = (int)half["done"]!; // 100, or what a slow machine had when it was time to write
        Assert.InRange(done, 1, 100);
        Assert.Equal(("running", done, (done + 19) / 20),
            ((string?)half["state"], (int)half["accepted"]! + (int)half["rejected"]!, (int)half["rejected"]!));
    }

    private async Task EndAsync(NpgsqlConnection database, bool killed)
    {
        if (killed)
        {
            await _program.KillAsync();
            // Its half-done transactions end as its database notices: nothing of them stays.
            await ExecuteAsync(database, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                + "AND datname = current_database()");
            return;
        }

        _program.Interrupt();
        await Task.Delay(500, Api.Cancel);
        await ExecuteAsync(database, "SELECT pg_advisory_unlock(42)");
        Assert.Equal(0, await _program.ExitAsync());
    }

    private async Task BatchIsDoneAsync(string model, JsonNode batch)
    {
        var ended = await Client.EndOfBatchAsync(model, batch);
        Assert.Equal(("succeeded", Answered, 0), ((string?)ended["state"], (int)ended["done"]!, (int)ended["failed"]!));
        Assert.Equal(Enumerable.Range(0, Answered).Select(i => $"{i}.jpg"),
            (await Client.LinesAsync(model, ended)).Select(line => (string?)line["fileName"]));
        await using var database = await _program.ConnectAsync();
        Assert.Equal((long)Answered, await ScalarAsync(database, "SELECT count(*) FROM writes"));
        Assert.Equal((long)Answered, await ScalarAsync(database, "SELECT count(DISTINCT position) FROM writes"));
    }

    private async Task ImportIsDoneAsync(string model, JsonNode import)
    {
        var ended = await Client.EndOfImportAsync(model, import);
        Assert.Equal(("succeeded", Imported, 171, 0, 9), ((string?)ended["state"], (int)ended["done"]!, (int)ended["accepted"]!,
            (int)ended["alreadyThere"]!, (int)ended["rejected"]!));
        Assert.Equal(171, await Client.CountAsync(model));
        Assert.Equal(Enumerable.Range(0, 9).Select(i => $"{i * 20} cats/{i * 20}.png unsupported-format"),
            await Client.RejectionsAsync(model, ended));
    }

    /// <param name="model">Its path.</param>
    /// <param name="search">The search.</param>
    /// <param name="asked">What the catalogue was asked for because of it.</param>
    private async Task SearchIsDoneAsync(string model, JsonNode search, string[] asked)
    {
        for (var looks = 0; (string?)search["state"] is "queued" or "running"; looks++)
        {
            Assert.True(looks < 1_200, $"The search does not end: {search.ToJsonString()}");
            await Task.Delay(100, Api.Cancel);
            search = await Client.GetJsonAsync($"{model}/image-searches/{search["id"]}");
        }

        Assert.Equal(("succeeded", Found), ((string?)search["state"], (int)search["categories"]![0]!["fetched"]!));
        Assert.Equal((int)search["categories"]![0]!["added"]!, (await Client.GetJsonAsync($"{model}/images"))["items"]!.AsArray().Count);
        Assert.Single(asked, path => path.StartsWith("/openverse", StringComparison.Ordinal));
        Assert.All(asked.Where(path => path.StartsWith("/files/", StringComparison.Ordinal)).Take(16).CountBy(path => path),
            count => Assert.Equal(1, count.Value));
    }

    /// <summary>The second lot of candidates hangs at its last.</summary>
    private void LayDown(string words, string waits, Task release)
    {
        var catalogues = searcher.Catalogues;
        catalogues.Openverse(words, Enumerable.Range(0, Found - 1).Select(i => Pictures.Jpeg(i)));
        catalogues.OpenverseAddress(words, catalogues.Web.Lay(waits, async http =>
        {
            await release.WaitAsync(http.RequestAborted);
            await http.Response.Body.WriteAsync(Pictures.Jpeg(100));
        }));
    }

    private static byte[] Archive() => Batches.Zip(Enumerable.Range(0, Imported)
        .Select(i => ($"cats/{i}.png", i % 20 == 0 ? "no image"u8.ToArray() : Pictures.Tiny(i))));

    private static async Task ExecuteAsync(NpgsqlConnection database, string sql)
    {
        await using var command = new NpgsqlCommand(sql, database);
        await command.ExecuteNonQueryAsync(Api.Cancel);
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection database, string sql)
    {
        await using var command = new NpgsqlCommand(sql, database);
        return await command.ExecuteScalarAsync(Api.Cancel);
    }

    /// <summary>One program for both tests, which leave it running; it searches on loopback.</summary>
    public sealed class Searcher : IAsyncLifetime
    {
        public Catalogues Catalogues { get; } = new();

        public HostProcess Program { get; } = new() { Environment = { ["Headstart__Fetching__AllowedHosts"] = "127.0.0.1" } };

        public async ValueTask InitializeAsync()
        {
            if (!Needs.HasTime)
            {
                return;
            }

            foreach (var (name, value) in Catalogues.Settings)
            {
                Program.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
            }

            await Program.StartAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await Program.DisposeAsync();
            await Catalogues.DisposeAsync();
        }
    }
}
