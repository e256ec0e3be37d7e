namespace Headstart.Tests.Processes;

/// <summary>One program for all tests of a class, which leave it running.</summary>
public sealed class RunningProgram : IAsyncLifetime
{
    public HostProcess Program { get; } = new() { Environment = { ["Headstart__Training__DetectionEffort"] = "0.03" } };

    public async ValueTask InitializeAsync() => await Program.StartAsync();

    public ValueTask DisposeAsync() => Program.DisposeAsync();
}
