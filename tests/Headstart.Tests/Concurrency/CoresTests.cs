using System.Diagnostics.Metrics;
using Headstart.Concurrency;
using Headstart.Configuration;
using Headstart.Hosting;
using Headstart.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Concurrency;

public sealed class CoresTests : IDisposable
{
    private static readonly Guid Crowd = Guid.CreateVersion7();
    private static readonly Guid Guest = Guid.CreateVersion7();

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly List<Cores> _made = [];

    [Fact]
    public async Task A_guest_gets_in_where_a_crowd_fills_the_queue()
    {
        var cores = Make(maxWaiting: 4);
        Task<string?>[] crowd;
        Task<string?> guest;
        await using (await HeldCores.HoldAsync(cores))
        {
            crowd = [.. Enumerable.Range(0, 4).Select(i => RunAsync(Crowd, $"c{i}"))];
            Assert.Null(await RunAsync(Crowd, "c4"));
            guest = RunAsync(Guest, "g");
            Assert.Null(await crowd[3]); // gave way, at once
            Assert.False(guest.IsCompleted);
        }

        Assert.Equal("g", await guest);
        Assert.Equal(["c0", "c1", "c2"], (await Task.WhenAll(crowd[..3])).Order());

        Task<string?> RunAsync(Guid account, string name) => cores.RunAsync(account, 1, () => name, Api.Cancel);
    }

    [Fact]
    public async Task Who_leaves_frees_the_place_and_the_work_is_never_done()
    {
        var cores = Make(maxWaiting: 1);
        var done = false;
        using var hangUp = new CancellationTokenSource();
        await using (await HeldCores.HoldAsync(cores))
        {
            var left = cores.RunAsync(Crowd, 1, () => (done = true).ToString(), hangUp.Token);
            Assert.Null(await cores.RunAsync(Crowd, 1, () => "", Api.Cancel));

            await hangUp.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
            Assert.Equal((0, 0L), cores.Waiting);
        }

        Assert.Equal("next", await cores.RunAsync(Crowd, 1, () => "next", Api.Cancel));
        Assert.False(done);
    }

    [Fact]
    public async Task Nobody_waits_for_longer_than_the_limit()
    {
        var cores = Make(maxWaiting: 1, seconds: 0.05);
        await using var held = await HeldCores.HoldAsync(cores);

        Assert.Null(await cores.RunAsync(Guest, 1, () => "too late", Api.Cancel)); // the cores are held beyond this line
    }

    [Fact]
    public async Task What_work_throws_is_thrown_at_its_owner_and_the_core_goes_on()
    {
        var cores = Make(maxWaiting: 1);
        for (var i = 0; i < 3 * Environment.ProcessorCount; i++)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() =>
                cores.RunAsync<string>(Guest, 1, () => throw new InvalidDataException(), Api.Cancel));
        }

        Assert.Equal("fine", await cores.RunAsync(Guest, 1, () => "fine", Api.Cancel));
    }

    [Fact]
    public async Task Stopping_waits_for_what_runs_and_for_what_waits()
    {
        var cores = Make(maxWaiting: 1);
        var (held, waiting) = (await HeldCores.HoldAsync(cores), cores.RunAsync(Guest, 1, () => "answered", Api.Cancel));

        var stopping = cores.StoppingAsync(Api.Cancel);

        Assert.False(stopping.IsCompleted);
        await held.DisposeAsync();
        await stopping;
        Assert.Equal("answered", await waiting);
    }

    [Fact]
    public async Task Training_lets_requests_go_first_but_not_for_ever()
    {
        var cores = Make(maxWaiting: 1);
        cores.GiveWay(Api.Cancel); // nobody is there
        await using var held = await HeldCores.HoldAsync(cores);

        cores.GiveWay(Api.Cancel); // returns although the cores are held beyond this line

        Assert.ThrowsAny<OperationCanceledException>(() => cores.GiveWay(new CancellationToken(canceled: true))); // it did wait
    }

    public void Dispose()
    {
        _made.ForEach(cores => cores.Dispose());
        _services.Dispose();
    }

    private Cores Make(int maxWaiting, double seconds = 3_600)
    {
        var settings = new Settings { Predictions = new() { MaxWaiting = maxWaiting, MaxQueueSeconds = seconds } };
        _made.Add(new Cores(settings, TimeProvider.System, new Telemetry(_services.GetRequiredService<IMeterFactory>())));
        return _made[^1];
    }
}
