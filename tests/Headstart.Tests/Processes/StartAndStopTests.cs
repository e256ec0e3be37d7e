using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Headstart.Hosting;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;
using Npgsql;

namespace Headstart.Tests.Processes;

/// <summary>The life of the program as the one who runs it sees it.</summary>
public sealed partial class StartAndStopTests(RunningProgram running, TestPostgres postgres) : IClassFixture<RunningProgram>
{
    [Fact]
    public async Task A_start_on_a_taken_address_spends_no_key_the_first_that_succeeds_prints_one_that_works_and_later_ones_none()
    {
        Needs.Time();
        await using var host = new HostProcess();
        host.Environment.Remove("Headstart__BootstrapKey");
        host.Environment.Remove("Headstart__Postgres__Fsync");
        using (var other = new System.Net.Sockets.TcpListener(IPAddress.Loopback, new Uri(host.Environment["ASPNETCORE_URLS"]).Port))
        {
            other.Start();
            var (exitCode, output) = await host.RunAsync();
            Assert.Equal(1, exitCode);
            Assert.Contains("ASPNETCORE_URLS", output.Trim().Split('\n')[^1], StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", output, StringComparison.Ordinal); // a stack trace
            Assert.DoesNotMatch(Key(), output);
        }

        await host.StartAsync();
        var key = Key().Match(host.Output).Value;
        Assert.Single(Key().Matches(host.Output));
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        await host.Client.NewModelAsync("cats", "dogs");
        Assert.Contains($"{host.Environment["ASPNETCORE_URLS"]}/swagger", host.Output, StringComparison.Ordinal);
        host.Interrupt();
        Assert.Equal(0, await host.ExitAsync());

        await host.StartAsync();

        Assert.DoesNotMatch(Key(), host.Output);
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        Assert.Single((await host.Client.GetJsonAsync("/api/v1/models"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Ctrl_C_in_the_middle_of_a_run_stops_everything_and_the_next_start_goes_on()
    {
        Needs.Time();
        var host = running.Program;
        var model = await host.Client.PetsAsync();
        var run = await host.Client.StartRunAsync(model);
        while ((string?)run["state"] == "queued")
        {
            await Task.Delay(20, Api.Cancel);
            run = await host.Client.GetJsonAsync($"{model}/training-runs/{run["id"]}");
        }

        host.Interrupt();

        Assert.Equal(0, await host.ExitAsync());
        Assert.Empty(host.DatabaseServers());
        await host.StartAsync();
        run = await host.Client.EndOfRunAsync(model, run);
        Assert.Equal("succeeded", (string?)run["state"]);
    }

    [Theory]
    [InlineData("headstart-small")] // what follows cannot be interrupted, and must not forget it
    [InlineData("the-last-one")]
    [InlineData(null)]
    public async Task Ctrl_C_while_starting_ends_it_and_leaves_nothing_behind(string? backbone)
    {
        Needs.Time();
        await using var host = new HostProcess();
        var folder = Directory.CreateDirectory(host.Folder.Below("backbones")).FullName;
        BuiltInBackbone.CopyTo(folder, "the-last-one");
        host.Environment["Headstart__Backbones__Directories"] = folder;
        var exit = host.RunAsync();
        while (!(backbone is null ? host.DatabaseServers().Any()
            : host.Output.Contains($"Backbone {backbone} is ready", StringComparison.Ordinal)))
        {
            await Task.Delay(5, Api.Cancel);
        }

        host.Interrupt();

        var (exitCode, output) = await exit;
        Assert.True(exitCode == 130 || (exitCode == 0 && output.Contains("Headstart is ready.", StringComparison.Ordinal)), $"{exitCode}");
        Assert.Empty(host.DatabaseServers());
    }

    [Fact]
    public async Task A_second_host_on_the_same_data_folder_is_refused_with_a_sentence()
    {
        var host = running.Program;
        await using var second = new HostProcess();
        second.Environment["Headstart__DataDirectory"] = host.DataFolder;

        var (exitCode, output) = await second.RunAsync();

        Assert.Equal(1, exitCode);
        Assert.Matches("^Another Headstart already uses the data folder .*\\.$", output.Trim());
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/health/ready", Api.Cancel)).StatusCode);
    }

    /// <summary>What Program does with a refusal of the settings, of a feature and of the database; SettingsTests has more.</summary>
    [Theory]
    [InlineData("Headstart__Roles", "web,wroker", "Headstart:Roles")]
    [InlineData("Headstart__Backbones__Catalogue", "/nowhere.json", "Headstart:Backbones:Catalogue")]
    [InlineData("Headstart__Postgres__BinariesDirectory", "/nowhere", "/nowhere")]
    [InlineData("Logging__LogLevel__Default", "Loud", "Loud")]
    public async Task A_setting_that_cannot_be_used_ends_the_start_with_one_sentence(string name, string value, string named)
    {
        await using var host = new HostProcess { Environment = { [name] = value } };

        var (exitCode, output) = await host.RunAsync();

        Assert.Equal(1, exitCode);
        var sentence = output.Trim().Split('\n').Where(line => !line.StartsWith("info:", StringComparison.Ordinal)).ToList();
        Assert.Contains(named, Assert.Single(sentence), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_argument_that_is_none_and_a_file_in_place_of_a_folder_end_the_start_with_one_sentence()
    {
        Needs.Time();
        await using var host = new HostProcess();
        host.Environment["ConnectionStrings__Headstart"] = await postgres.CreateDatabaseAsync();
        Assert.Contains("-Headstart:Roles=web", await RefusedAsync("-Headstart:Roles=web"), StringComparison.Ordinal);
        Directory.CreateDirectory(host.DataFolder);
        await File.WriteAllTextAsync(Path.Combine(host.DataFolder, "spool"), "", Api.Cancel);
        Assert.Contains("spool", await RefusedAsync(), StringComparison.Ordinal);

        async Task<string> RefusedAsync(params string[] arguments)
        {
            var (exitCode, output) = await host.RunAsync(arguments);
            Assert.Equal(1, exitCode);
            return Assert.Single(output.Trim().Split('\n'));
        }
    }

    [Fact]
    public async Task An_address_of_another_machine_ends_the_start_with_a_sentence()
    {
        Needs.Time();
        await using var host = new HostProcess { Environment = { ["ASPNETCORE_URLS"] = "http://192.0.2.1:8080" } };

        var (exitCode, output) = await host.RunAsync();

        Assert.Equal(1, exitCode);
        Assert.Matches("^Headstart cannot listen on http://192.0.2.1:8080: .*ASPNETCORE_URLS", output.Trim().Split('\n')[^1]);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_database_killed_under_a_running_host_comes_back_with_everything()
    {
        Needs.Time();
        var host = running.Program;
        var model = await host.Client.PetsAsync(6);
        await host.Client.TrainAsync(model);

        Process.GetProcessById(host.Postmaster()).Kill();

        var response = await host.Client.GetAsync(model, Api.Cancel);
        while (!response.IsSuccessStatusCode)
        {
            await response.ProblemAsync(HttpStatusCode.ServiceUnavailable, "database-unavailable");
            Assert.NotNull(response.Headers.RetryAfter);
            await Task.Delay(100, Api.Cancel);
            response = await host.Client.GetAsync(model, Api.Cancel);
        }

        Assert.Equal("trained", (string?)(await response.JsonAsync())["state"]);
        Assert.Equal(2, (int?)(await host.Client.TrainAsync(model))["version"]);
    }

    /// <summary>Hangfire holds a lock while it notes how a job ended; the row of it outlives the database that dies in that
    /// moment.</summary>
    [Fact]
    public async Task The_database_killed_while_a_job_is_noted_as_done_does_not_hold_up_the_next_run()
    {
        Needs.Time();
        var host = running.Program;
        var model = await host.Client.PetsAsync(4);
        await using (var database = await host.ConnectAsync())
        {
            await using var hold = new NpgsqlCommand("""
                CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END $$;
                CREATE TRIGGER hold BEFORE INSERT ON hangfire.state FOR EACH ROW WHEN (NEW.name = 'Succeeded') EXECUTE FUNCTION hold();
                SELECT pg_advisory_lock(42);
                """, database);
            await hold.ExecuteNonQueryAsync(Api.Cancel);
            await host.Client.TrainAsync(model);
            await using var held = new NpgsqlCommand(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted", database);
            while (await held.ExecuteScalarAsync(Api.Cancel) is 0L)
            {
                await Task.Delay(20, Api.Cancel);
            }

            Process.GetProcessById(host.Postmaster()).Kill();
        }

        while (!(await host.Client.GetAsync(model, Api.Cancel)).IsSuccessStatusCode)
        {
            await Task.Delay(100, Api.Cancel);
        }

        Assert.Equal(2, (int?)(await host.Client.TrainAsync(model))["version"]);
        await using var after = await host.ConnectAsync();
        await using var drop = new NpgsqlCommand("DROP FUNCTION hold CASCADE", after);
        await drop.ExecuteNonQueryAsync(Api.Cancel);
    }

    [GeneratedRegex("hs_[A-Za-z0-9]+")]
    private static partial Regex Key();
}
