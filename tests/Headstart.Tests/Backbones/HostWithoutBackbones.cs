using Headstart.Tests.Data;

namespace Headstart.Tests.Backbones;

/// <summary>Starts faster, for tests that neither train nor predict.</summary>
public class HostWithoutBackbones(TestPostgres postgres) : TestHost(postgres)
{
    protected override IEnumerable<(string Name, string Value)> Settings => [("Headstart:Backbones:Directories", "")];
}
