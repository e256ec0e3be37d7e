using Headstart.Tests.Postgres;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Backbones;

/// <summary>A host without backbones that fetches them from a server of the test's own.</summary>
internal sealed class FetchingHost : TestHost
{
    private readonly (string Name, string Value)[] _more;

    private FetchingHost(TestPostgres postgres, TinyCatalogue catalogue, (string Name, string Value)[] more)
        : base(postgres) => (Catalogue, _more) = (catalogue, more);

    public TinyCatalogue Catalogue { get; }

    protected override IEnumerable<(string Name, string Value)> Settings => [.. Catalogue.Settings, .. _more];

    public static async Task<FetchingHost> StartAsync(TestPostgres postgres, TinyCatalogue catalogue,
        params (string Name, string Value)[] more)
    {
        var host = new FetchingHost(postgres, catalogue, more);
        await host.InitializeAsync();
        return host;
    }

    /// <summary>Which of the catalogue is here, and what is said of the others.</summary>
    public async Task<(string? State, long? Bytes, string? Problem)> StateAsync(string backbone)
    {
        var entry = await Client.GetJsonAsync($"/api/v1/backbones/{backbone}");
        Assert.Equal((string?)entry["state"] == "present", (bool?)entry["present"]);
        return ((string?)entry["state"], (long?)entry["bytesFetched"], (string?)entry["problem"]);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Catalogue.Dispose();
    }
}

internal static class SmallModel
{
    /// <summary>A model with just enough to learn from.</summary>
    public static async Task<string> SmallModelAsync(this HttpClient client)
    {
        var model = await client.NewModelAsync("small", "large");
        await client.AddAsync(model, "small", [.. Enumerable.Range(0, 4).Select(i => Pictures.Jpeg(i))]);
        await client.AddAsync(model, "large", [.. Enumerable.Range(10, 4).Select(i => Pictures.Jpeg(i, 64, 64))]);
        return model;
    }
}
