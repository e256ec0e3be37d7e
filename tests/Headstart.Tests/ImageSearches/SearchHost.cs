using Headstart.Tests.Postgres;

namespace Headstart.Tests.ImageSearches;

/// <summary>A host that searches on loopback.</summary>
public sealed class SearchHost(TestPostgres postgres) : TestHost(postgres)
{
    public Catalogues Catalogues { get; } = new();

    protected override IEnumerable<(string Name, string Value)> Settings => Catalogues.Settings;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Catalogues.DisposeAsync();
    }
}
