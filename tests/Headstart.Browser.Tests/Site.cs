using System.Collections.Concurrent;
using Headstart.Browser.Tests;
using Headstart.Tests;
using Headstart.Tests.ImageSearches;
using Headstart.Tests.Processes;
using Microsoft.Playwright;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(Site))]
[assembly: Parallelization(Mode = ParallelMode.None)] // one host and one browser, and two cores

namespace Headstart.Browser.Tests;

/// <summary>The service as a process on an empty data folder, and Chromium to open its pages.</summary>
public sealed class Site : IAsyncLifetime
{
    private const float Patience = 60_000; // milliseconds; test machines are slow
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public HostProcess Program { get; } = new();

    /// <summary>The image catalogues that the host searches.</summary>
    public Catalogues Catalogues { get; } = new();

    /// <summary>Browser errors: failed scripts and requests, and violations of the Content-Security-Policy.</summary>
    public ConcurrentQueue<string> Complaints { get; } = new();

    public HttpClient Client
    {
        get
        {
            SkipWithoutBrowser();
            return Program.Client;
        }
    }

    /// <summary>Whether there is a Chromium. Fixtures check this, because a fixture that skips fails its tests.</summary>
    public bool HasBrowser => _browser is not null;

    public async ValueTask InitializeAsync()
    {
        if (Chromium() is not { } chromium)
        {
            return; // tests skip themselves; skipping here would fail them all
        }

        foreach (var (name, value) in Catalogues.Settings.Append(("Headstart:Fetching:AllowedHosts", "127.0.0.1")))
        {
            Program.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        Program.Environment["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true"; // some tests put a proxy in front
        await Program.StartAsync();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream"],
        });
    }

    /// <summary>A page in a fresh browser context, without cookies.</summary>
    public async Task<IPage> OpenAsync(int width = 1_200, int height = 850, ColorScheme scheme = ColorScheme.Light)
    {
        SkipWithoutBrowser();
        var context = await _browser!.NewContextAsync(new()
        {
            BaseURL = Client.BaseAddress!.ToString(),
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = scheme,
            Permissions = ["clipboard-read", "clipboard-write"],
        });
        context.SetDefaultTimeout(Patience);
        Assertions.SetDefaultExpectTimeout(Patience);
        var page = await context.NewPageAsync();
        page.PageError += (_, error) => Complaints.Enqueue(error);
        page.Response += (_, response) =>
        {
            if (response.Status >= 400)
            {
                Complaints.Enqueue($"{response.Status} {response.Url}");
            }
        };
        page.Console += (_, message) =>
        {
            // reported above, with the URL
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                Complaints.Enqueue($"{message.Text} at {message.Location}");
            }
        };
        return page;
    }

    /// <summary>A page that has signed in and gone to <paramref name="path"/>.</summary>
    public async Task<IPage> SignInAsync(string path = "/", int width = 1_200, int height = 850, ColorScheme scheme = ColorScheme.Light)
    {
        var page = await OpenAsync(width, height, scheme);
        await page.GotoAsync(path);
        await page.GetByLabel("API key").FillAsync(Api.Key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToBeVisibleAsync();
        return page;
    }

    /// <summary>Fails if a browser reported an error since the last call.</summary>
    public void NobodyComplained()
    {
        var complaints = Complaints.ToList();
        Complaints.Clear();
        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        await Program.DisposeAsync();
        await Catalogues.DisposeAsync();
    }

    private void SkipWithoutBrowser() =>
        Assert.SkipUnless(HasBrowser,
            "There is no Chromium: install it (apt-get install chromium-headless-shell), or name it in the environment variable CHROMIUM.");

    /// <summary>The headless shell before a whole browser, which needs half as much again.</summary>
    private static string? Chromium() => Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } named ? named
        : new[] { "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome" }.Select(name => $"/usr/bin/{name}")
            .FirstOrDefault(File.Exists);
}
