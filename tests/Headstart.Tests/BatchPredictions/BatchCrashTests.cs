using Headstart.Tests.Processes;
using Npgsql;

namespace Headstart.Tests.BatchPredictions;

/// <summary>The program is killed, or told to stop, in the middle of a batch.</summary>
public sealed class BatchCrashTests(RunningProgram running) : IClassFixture<RunningProgram>
{
    private const int Images = 150;

    // Writes wait from the 65th image on while the test holds the lock; every write that stays leaves a row behind.
    private const string Triggers = """
        DROP TABLE IF EXISTS writes;
        CREATE TABLE writes (position integer);
        CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.position >= 64 THEN PERFORM pg_advisory_xact_lock_shared(42); END IF;
            INSERT INTO writes VALUES (NEW.position);
            RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER hold BEFORE UPDATE ON batch_items FOR EACH ROW EXECUTE FUNCTION hold();
        SELECT pg_advisory_lock(42);
        """;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_batch_whose_host_ends_is_finished_after_the_restart_with_each_image_answered_once(bool killed)
    {
        var program = running.Program;
        var model = await program.Client.PetsAsync(8);
        await program.Client.TrainAsync(model);
        System.Text.Json.Nodes.JsonNode batch;
        await using (var database = await program.ConnectAsync())
        {
            await ExecuteAsync(database, Triggers);
            batch = await program.Client.StartBatchAsync(model, Batches.Many(Images));
            while (await ScalarAsync(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted")
                is 0L)
            {
                await Task.Delay(20, Api.Cancel);
            }

            var half = await program.Client.GetJsonAsync(Batches.PathOf(model, batch));
            Assert.Equal(("running", 64), ((string?)half["state"], (int)half["done"]!));
            Assert.Equal(64, (await program.Client.LinesAsync(model, batch)).Length); // what is done so far may be read
            if (killed)
            {
                await program.KillAsync();
                // Its half-done transactions end as its database notices: nothing of them stays.
                await ExecuteAsync(database,
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
                        + "current_database()");
            }
            else
            {
                program.Interrupt();
                Assert.Equal(0, await program.ExitAsync());
            }
        }

        await program.StartAsync();
        var ended = await program.Client.EndOfBatchAsync(model, batch);

        Assert.Equal(("succeeded", Images, 0), ((string?)ended["state"], (int)ended["done"]!, (int)ended["failed"]!));
        Assert.Equal(Enumerable.Range(0, Images).Select(i => $"{i}.jpg"),
            (await program.Client.LinesAsync(model, ended)).Select(l => (string?)l["fileName"]));
        await using var after = await program.ConnectAsync();
        Assert.Equal((long)Images, await ScalarAsync(after, "SELECT count(*) FROM writes"));
        Assert.Equal((long)Images, await ScalarAsync(after, "SELECT count(DISTINCT position) FROM writes"));
    }

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
}
