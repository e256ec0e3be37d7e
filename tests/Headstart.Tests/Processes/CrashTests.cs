using Headstart.Tests.Training;
using Npgsql;

namespace Headstart.Tests.Processes;

/// <summary>The program is killed in every stage of a run. What it had is there afterwards, and the run ends once.</summary>
public sealed class CrashTests(RunningProgram running) : IClassFixture<RunningProgram>
{
    /// <summary>Where a run is held, as long as somebody has the advisory lock 42: at the entry of the stage that follows, or in the last
    /// transaction.</summary>
    internal static string Trigger(string stage) => stage switch
    {
        "choosing" => Hold("BEFORE UPDATE ON training_runs", "NEW.stage = 'Extracting'"),
        "extracting" => Hold("BEFORE UPDATE ON training_runs", "NEW.stage = 'Training'"),
        "training" => Hold("BEFORE UPDATE ON training_runs", "NEW.stage = 'Evaluating'"),
        "evaluating" => Hold("BEFORE UPDATE ON training_runs", "NEW.stage = 'Publishing'"),
        "publishing" => Hold("BEFORE INSERT ON model_versions", "true"),
        "the first features" => Hold("BEFORE INSERT ON feature_vectors", "true"),
        "the claim" => Hold("BEFORE INSERT ON run_examples", "true"),
        _ => throw new ArgumentOutOfRangeException(nameof(stage)),
    };

    private static string Hold(string when, string condition) => $"""
        CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF {condition} THEN PERFORM pg_advisory_xact_lock_shared(42); END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER hold {when} FOR EACH ROW EXECUTE FUNCTION hold();
        """;

    [Theory]
    [InlineData("the claim")]
    [InlineData("the first features")]
    [InlineData("choosing")]
    [InlineData("extracting")]
    [InlineData("training")]
    [InlineData("evaluating")]
    [InlineData("publishing")]
    public async Task A_run_whose_host_is_killed_ends_once_with_a_version_that_predicts(string stage)
    {
        if (stage != "training")
        {
            Needs.Time();
        }

        var model = await KillInAsync(stage, client => client.PetsAsync(10));

        var prediction = await running.Program.Client.PredictAsync(model, Pets.Cats[0]);
        Assert.Equal("cats", (string?)prediction["predictions"]![0]!["labels"]![0]!["label"]);
    }

    [Fact]
    public async Task A_run_of_a_detection_model_whose_host_is_killed_ends_once_with_a_version_that_predicts()
    {
        Needs.Time();
        var model = await KillInAsync("publishing", client => client.ScenesAsync(8));

        using var form = Api.Form(null, ("a.png", Scenes.File(77)));
        var prediction = await (await running.Program.Client.PostAsync($"{model}/predictions?threshold=0", form, Api.Cancel)).JsonAsync();
        Assert.NotEmpty(prediction["predictions"]![0]!["objects"]!.AsArray());
    }

    /// <returns>The model's path, after its run ended on the restarted program.</returns>
    private async Task<string> KillInAsync(string stage, Func<HttpClient, Task<string>> modelAsync)
    {
        var program = running.Program;
        string model;
        System.Text.Json.Nodes.JsonNode run;
        await using (var database = await program.ConnectAsync())
        {
            await ExecuteAsync(database, "TRUNCATE feature_vectors"); // so that every stage has something to do
            model = await modelAsync(program.Client);
            await ExecuteAsync(database, Trigger(stage) + "SELECT pg_advisory_lock(42);");
            run = await program.Client.StartRunAsync(model);
            while (await ScalarAsync(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted")
                is 0L)
            {
                await Task.Delay(20, Api.Cancel);
            }

            if (stage is "choosing" or "extracting" or "training" or "evaluating" or "publishing")
            {
                var row = await program.Client.GetJsonAsync($"{model}/training-runs/{run["id"]}");
                Assert.Equal(("running", stage), ((string?)row["state"], (string?)row["stage"]));
            }

            await program.KillAsync();
            // Its half-done transactions end as its database notices: nothing of them stays.
            await ExecuteAsync(database, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                + "AND datname = current_database()");
            await ExecuteAsync(database, "DROP FUNCTION hold CASCADE");
        }

        await program.StartAsync();
        var ended = await program.Client.EndOfRunAsync(model, run);
        Assert.Equal(("succeeded", 1), ((string?)ended["state"], (int?)ended["version"]));
        Assert.Single((await program.Client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray());
        Assert.Single((await program.Client.GetJsonAsync($"{model}/training-runs"))["items"]!.AsArray());
        return model;
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
