using Headstart.Operations;

namespace Headstart.Tests.Operations;

/// <summary>Keeps every core busy until it is disposed of, so that what comes next waits.</summary>
internal sealed class HeldCores : IAsyncDisposable
{
    private readonly ManualResetEventSlim _release = new();
    private Task[] _held = [];

    public static async Task<HeldCores> HoldAsync(Cores cores)
    {
        var held = new HeldCores();
        using var working = new CountdownEvent(Environment.ProcessorCount);
        held._held = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => cores.RunAsync(Guid.CreateVersion7(), 0, () =>
        {
            working.Signal();
            held._release.Wait();
            return "";
        }, CancellationToken.None))];
        await Task.Run(() => working.Wait(Api.Cancel), Api.Cancel);
        return held;
    }

    public async ValueTask DisposeAsync()
    {
        _release.Set();
        await Task.WhenAll(_held);
        _release.Dispose();
    }
}

internal static class Waiting
{
    /// <summary>Returns when so many wait; hangs, until the test is ended, where they never do.</summary>
    public static async Task UntilWaitingAsync(this Cores cores, int count)
    {
        while (cores.Waiting.Count != count)
        {
            await Task.Delay(5, Api.Cancel);
        }
    }
}
