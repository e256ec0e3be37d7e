using System.Net;

namespace Headstart.Tests.Processes;

/// <summary>Stopping under load: what was accepted is answered, and nothing else is.</summary>
public sealed class DrainTests
{
    [Fact]
    public async Task SIGTERM_under_load_answers_what_it_accepted_and_refuses_what_comes_later()
    {
        Needs.Time();
        await using var host = new HostProcess { Environment = { ["Headstart__Predictions__FeatureCacheBytes"] = "0" } };
        await host.StartAsync();
        var model = await host.Client.PetsAsync(4);
        await host.Client.TrainAsync(model);
        var answered = 0;
        using var first = new SemaphoreSlim(0);

        var clients = Enumerable.Range(0, 8).Select(_ => HammerAsync()).ToArray();
        await first.WaitAsync(Api.Cancel);
        host.Interrupt();

        Assert.All(await Task.WhenAll(clients), sent => Assert.True(sent)); // none lost
        Assert.Equal(0, await host.ExitAsync());
        Assert.True(answered >= 8);

        // Until the host refuses or its address is closed. A connection that breaks under a request that it has taken would be one lost.
        async Task<bool> HammerAsync()
        {
            while (true)
            {
                HttpResponseMessage response;
                try
                {
                    response = await host.Client.PostAsync($"{model}/predictions", Api.Raw(Pets.Cat), Api.Cancel);
                }
                catch (HttpRequestException e)
                {
                    return e.HttpRequestError == HttpRequestError.ConnectionError; // there is nobody to connect to any more
                }

                if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                {
                    await response.ProblemAsync(HttpStatusCode.ServiceUnavailable, "stopping");
                    Assert.NotNull(response.Headers.RetryAfter);
                    return true;
                }

                await response.JsonAsync();
                if (Interlocked.Increment(ref answered) == 8)
                {
                    first.Release();
                }
            }
        }
    }
}
