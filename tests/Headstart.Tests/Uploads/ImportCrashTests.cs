using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Processes;
using Npgsql;

namespace Headstart.Tests.Uploads;

/// <summary>The program is killed, or told to stop, in the middle of an import.</summary>
public sealed class ImportCrashTests(RunningProgram running) : IClassFixture<RunningProgram>
{
    private const int Images = 180; // and among them some that cannot be used

    // Writes wait from the 100th image on while the test holds the lock.
    private const string Trigger = """
        CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.done > 100 THEN PERFORM pg_advisory_xact_lock_shared(42); END IF;
            RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER hold BEFORE UPDATE ON imports FOR EACH ROW EXECUTE FUNCTION hold();
        SELECT pg_advisory_lock(42);
        """;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_import_whose_host_ends_goes_on_where_it_was_after_the_restart(bool killed)
    {
        var program = running.Program;
        var model = await program.Client.NewModelAsync();
        var archive = Batches.Zip(Enumerable.Range(0, Images)
            .Select(i => ($"cats/{i}.png", i % 20 == 0 ? "no image"u8.ToArray() : Pictures.Tiny(i))));
        System.Text.Json.Nodes.JsonNode import;
        await using (var database = await program.ConnectAsync())
        {
            await ExecuteAsync(database, Trigger);
            import = await program.Client.StartImportAsync(model, Batches.Archive(archive), "?async=true");
            while (await ScalarAsync(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted")
                is 0L)
            {
                await Task.Delay(20, Api.Cancel);
            }

            var half = await program.Client.GetJsonAsync(UploadCalls.PathOf(model, import));
            var done = (int)half["done"]!; // 100, or what a slow machine had when it was time to write
            Assert.InRange(done, 1, 100);
            Assert.Equal(("running", done, (done + 19) / 20),
                ((string?)half["state"], (int)half["accepted"]! + (int)half["rejected"]!, (int)half["rejected"]!));
            if (killed)
            {
                await program.KillAsync();
                // Its half-done transactions end as its database notices: nothing of them stays.
                await ExecuteAsync(database,
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
                        + "current_database()");
                await ExecuteAsync(database, "DROP FUNCTION hold CASCADE");
            }
            else
            {
                program.Interrupt();
                await Task.Delay(500, Api.Cancel);
                await ExecuteAsync(database, "SELECT pg_advisory_unlock(42)");
                Assert.Equal(0, await program.ExitAsync());
            }
        }

        await program.StartAsync();
        var ended = await program.Client.EndOfImportAsync(model, import);

        Assert.Equal(("succeeded", Images, 171, 0, 9),
            ((string?)ended["state"], (int)ended["done"]!, (int)ended["accepted"]!, (int)ended["alreadyThere"]!, (int)ended["rejected"]!));
        Assert.Equal(171, await program.Client.CountAsync(model));
        Assert.Equal(Enumerable.Range(0, 9).Select(i => $"{i * 20} cats/{i * 20}.png unsupported-format"),
            await program.Client.RejectionsAsync(model, ended));
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
