using Headstart.Tests.Data;

namespace Headstart.Tests.Backbones;

/// <summary>A host that chooses among several backbones, for tests of the choice and of what it is worth. All others have the built-in one and are much faster.
/// Tests ask for <c>SharedData.Folder("backbones")</c> first, so that they skip where it is missing.</summary>
public sealed class HostWithRealBackbones(TestPostgres postgres) : TestHost(postgres)
{
    protected override IEnumerable<(string Name, string Value)> Settings =>
        SharedFolder.Root is { } shared ? [("Headstart:Backbones:Directories", Path.Combine(shared, "backbones"))] : [];
}
