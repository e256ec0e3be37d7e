using Headstart.Tests.Postgres;

namespace Headstart.Tests.Backbones;

/// <summary>A host that chooses among several backbones, for tests of the choice and of what it is worth; they skip where there are none.
/// All other tests have the built-in one, and are much faster.</summary>
public sealed class HostWithRealBackbones(TestPostgres postgres) : TestHost(postgres)
{
    public new HttpClient Client
    {
        get
        {
            SharedData.Folder("backbones");
            return base.Client;
        }
    }

    protected override bool IsNeeded => SharedFolder.Root is not null;

    protected override IEnumerable<(string Name, string Value)> Settings =>
        SharedFolder.Root is { } shared ? [("Headstart:Backbones:Directories", Path.Combine(shared, "backbones"))] : [];
}
