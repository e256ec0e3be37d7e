using System.Net.Http.Headers;
using Headstart.Configuration;
using Headstart.Data;
using Headstart.Disk;
using Headstart.Errors;
using Headstart.Tests.Postgres;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Headstart.Tests;

/// <summary>The whole program on a real socket, with the built-in backbone, a database and a data folder of its own. One for a test class,
/// or for several, see SharedHosts.cs.</summary>
public class TestHost(TestPostgres postgres) : IAsyncLifetime
{
    public const string Key = Api.Key;

    private readonly TemporaryFolder _folder = new();
    private WebApplicationFactory<Program>? _factory;
    private string _database = "";

    /// <summary>Sends the first key with every request.</summary>
    public HttpClient Client { get; private set; } = null!;

    public IServiceProvider Services => _factory!.Services;

    public Uri Address => new(Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public string DataFolder => _folder.Path;

    /// <summary>Settings beyond those every test host has.</summary>
    protected virtual IEnumerable<(string Name, string Value)> Settings => [];

    /// <summary>Whether any test of the class runs; a host takes seconds to start.</summary>
    protected virtual bool IsNeeded => true;

    /// <summary>One of its own.</summary>
    protected virtual Task<string> DatabaseAsync() => postgres.CreateDatabaseAsync();

    /// <summary>What a class replaces in the host.</summary>
    protected virtual void Configure(IWebHostBuilder web)
    {
    }

    public async ValueTask InitializeAsync()
    {
        if (!IsNeeded)
        {
            return;
        }

        using var waiting = Waits.For("a host in the test process");
        _database = await DatabaseAsync();
        Start();
    }

    /// <summary>Stops the host as Ctrl-C does and starts it again on what it has kept, with today's <see cref="Settings"/>.</summary>
    public async Task RestartAsync()
    {
        using var waiting = Waits.For("a host in the test process");
        Client.Dispose();
        await _factory!.DisposeAsync();
        await FolderIsFreeAsync();
        Start();
    }

    /// <summary>The program lets go of its data folder as the last thing it does, a moment after the factory has seen its end.</summary>
    private async Task FolderIsFreeAsync()
    {
        for (var looks = 0; ; looks++)
        {
            try
            {
                Headstart.Disk.DataFolder.Open(DataFolder).Dispose();
                return;
            }
            catch (StartupException) when (looks < 600)
            {
                await Task.Delay(50);
            }
        }
    }

    private void Start()
    {
        _factory = new WebApplicationFactory<Program>().WithWebHostBuilder(web =>
        {
            web.UseSetting("environment", "Production");
            web.UseSetting("urls", "http://127.0.0.1:0");
            web.UseSetting("ConnectionStrings:Headstart", _database);
            web.UseSetting("Headstart:DataDirectory", _folder.Path);
            web.UseSetting("Headstart:BootstrapKey", Key);
            web.UseSetting("Headstart:Backbones:Download", "false"); // no test reaches beyond this machine
            web.UseSetting("Headstart:Backbones:Bundled", "false"); // a host has the built-in one alone, and its start does nothing more
            web.UseSetting("Headstart:Backbones:EightBit", "false"); // nothing happens that a test did not ask for
            web.UseSetting("Headstart:Fetching:AllowedHosts", "127.0.0.1"); // where tests lay down files; "localhost" stays private
            web.UseSetting("Headstart:RateLimits:FailedSignInsPerMinute", "0"); // tests of refused keys share an address
            web.UseSetting("Logging:LogLevel:Default", "Warning");
            foreach (var (name, value) in Settings)
            {
                web.UseSetting(name, value);
            }

            Configure(web);
            web.ConfigureServices(services => services.AddSingleton<ILoggerFactory, LastingLoggerFactory>());
        });
        _factory.UseKestrel();
        _factory.StartServer();
        Client = ClientWith(Key);
    }

    public HttpClient ClientWith(string? key)
    {
        var client = new HttpClient { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public async Task<T> QueryAsync<T>(Func<HeadstartDb, Task<T>> query)
    {
        await using var db = await Services.GetRequiredService<IDbContextFactory<HeadstartDb>>().CreateDbContextAsync();
        return await query(db);
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (_factory is not null)
        {
            await _factory.DisposeAsync();
        }

        _folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
