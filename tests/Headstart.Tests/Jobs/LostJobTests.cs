using Headstart.Jobs;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Jobs;

public sealed class LostJobTests(LostJobTests.Host host) : IClassFixture<LostJobTests.Host>
{
    [Fact]
    public async Task A_run_that_is_cancelled_while_it_publishes_makes_no_version_and_is_not_logged_as_a_crash()
    {
        using var log = LogListener.To<JobRunner>(host);
        var model = await host.Client.PetsAsync(3);
        var id = Guid.Parse(model.Split('/')[^1]);
        await using (var held = await HeldRow.TakeAsync(host, $"SELECT FROM models WHERE id = {id} FOR KEY SHARE"))
        {
            var run = await host.Client.StartRunAsync(model);
            await held.WaitersAsync(1); // the worker, when it publishes
            await host.Client.PostAsync($"{model}/training-runs/{run["id"]}/cancel", new { });
        }

        await log.HearsAsync("training run");
        Assert.Contains("was cancelled or taken over by another worker", Assert.Single(log.Lines), StringComparison.Ordinal);
        Assert.Empty((await host.Client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray());
    }

    public sealed class Host(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Logging:LogLevel:Headstart.Jobs.JobRunner", "Information"), ("Logging:Console:LogLevel:Default", "None")];
    }
}
