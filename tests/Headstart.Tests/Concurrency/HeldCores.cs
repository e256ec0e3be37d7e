using Headstart.Concurrency;
using Headstart.Hosting;

namespace Headstart.Tests.Concurrency;

/// <summary>Keeps every core busy until it is disposed of, so that what comes next waits.</summary>
internal sealed class HeldCores : IAsyncDisposable
{
    private readonly ManualResetEventSlim _release = new();
    private Task[] _held = [];

    public static async Task<HeldCores> HoldAsync(Cores cores)
    {
        var held = new HeldCores();
        using var working = new CountdownEvent(Environment.ProcessorCount);
        held._held = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => held.HoldOneAsync(cores, working))];
        await Task.Run(() => working.Wait(Api.Cancel), Api.Cancel);
        return held;
    }

    public async ValueTask DisposeAsync()
    {
        _release.Set();
        await Task.WhenAll(_held);
        _release.Dispose();
    }

    /// <summary>Asks again where it is refused: a core counts as free a moment after what it did was answered, and little may
    /// wait.</summary>
    private async Task HoldOneAsync(Cores cores, CountdownEvent working)
    {
        while (await cores.RunAsync(Guid.CreateVersion7(), 0, Hold, Api.Cancel) is null)
        {
            await Task.Delay(5, Api.Cancel);
        }

        string Hold()
        {
            working.Signal();
            _release.Wait();
            return "";
        }
    }
}

internal static class Waiting
{
    /// <summary>Returns when so many wait.</summary>
    public static async Task UntilWaitingAsync(this Cores cores, int count)
    {
        while (cores.Waiting.Count != count)
        {
            await Task.Delay(5, Api.Cancel);
        }
    }
}
