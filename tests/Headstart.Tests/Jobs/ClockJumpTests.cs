using Headstart.Tests.Postgres;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Jobs;

/// <summary>The machine's clock is set while it works. Leases go by the database's clock and waits by one that is never set.</summary>
public sealed class ClockJumpTests(ClockJumpTests.Host host) : IClassFixture<ClockJumpTests.Host>
{
    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_run_during_which_the_clock_jumps_by_a_day_ends_once_and_predicts(int days)
    {
        var model = await host.Client.PetsAsync(15);
        var run = await host.Client.StartRunAsync(model);
        while ((string?)run["state"] == "queued")
        {
            await Task.Delay(20, Api.Cancel);
            run = await host.Client.GetJsonAsync($"{model}/training-runs/{run["id"]}");
        }

        var before = await CreatedAsync();
        host.Clock.Jump(TimeSpan.FromDays(days));
        Assert.InRange(Math.Abs((await CreatedAsync() - before).TotalHours), 23, 25); // the host goes by this clock

        var ended = await host.Client.EndOfRunAsync(model, run);
        Assert.Equal(("succeeded", 1), ((string?)ended["state"], (int?)ended["version"]));
        Assert.Single((await host.Client.GetJsonAsync($"{model}/versions"))["items"]!.AsArray());
        Assert.NotNull((await host.Client.PredictAsync(model, Pets.Cats[^1]))["predictions"]);
        Assert.Equal("succeeded", (string?)(await host.Client.TrainAsync(model))["state"]);
    }

    private async Task<DateTime> CreatedAsync() =>
        (DateTime)(await host.Client.GetJsonAsync(await host.Client.NewModelAsync()))["createdAt"]!;

    public sealed class Host(TestPostgres postgres) : TestHost(postgres)
    {
        public JumpingClock Clock { get; } = new();

        protected override void Configure(IWebHostBuilder web) =>
            web.ConfigureServices(services => services.AddSingleton<TimeProvider>(Clock));
    }

    /// <summary>The wall clock may be set; what measures time goes on.</summary>
    public sealed class JumpingClock : TimeProvider
    {
        private long _ticks;

        public void Jump(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _ticks));
    }
}
