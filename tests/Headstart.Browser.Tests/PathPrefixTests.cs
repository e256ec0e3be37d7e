using System.Text.RegularExpressions;
using Headstart.Tests;
using Headstart.Tests.Deploy;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Headstart.Browser.Tests;

/// <summary>The main job behind an nginx that serves only <c>/headstart/</c>: a link or script that omits the prefix gets a 404 and fails
/// the test.</summary>
public sealed partial class PathPrefixTests(Site site)
{
    private const float LongRun = 240_000;

    [Fact]
    public async Task From_signing_in_to_a_prediction_everything_stays_below_the_prefix()
    {
        Needs.Programs("nginx");
        await using var cutting = await NginxBelowPrefix.StartAsync(site.Client.BaseAddress!, cuts: true, says: true);
        var page = await site.SignInAsync($"{cutting.Address}headstart/");
        await page.GetByRole(AriaRole.Link, new() { NameRegex = MakeModel() }).First.ClickAsync();
        await page.GetByLabel("Model name").FillAsync("Pets below a prefix");
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Categories" }).FillAsync("cats, dogs");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create and add images" }).ClickAsync();
        await page.Locator("[data-category=cats]").DropAsync(Pets.Cats[..10]);
        await page.Locator("[data-category=dogs]").DropAsync(Pets.Dogs[..10]);
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("10 images");
        await Expect(page.Locator("[data-category=dogs] .head span")).ToHaveTextAsync("10 images");
        await page.WaitForFunctionAsync("() => document.querySelector('.grid img, main img')?.naturalWidth > 0");

        await page.GetByRole(AriaRole.Button, new() { Name = "Train", Exact = true }).ClickAsync();
        await Expect(page).ToHaveURLAsync(TrainingAddress());
        await page.GetByRole(AriaRole.Link, new() { Name = "See the result" }).ClickAsync(new() { Timeout = LongRun });
        await Expect(page.Locator(".sentence")).ToContainTextAsync("correct on");
        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByText("Download ONNX").ClickAsync());
        Assert.StartsWith($"{cutting.Address}headstart/api/v1/", download.Url, StringComparison.Ordinal);
        var report = await page.Context.RunAndWaitForPageAsync(() => page.GetByText("Shareable report").ClickAsync());
        await Expect(report.Locator("h1")).ToBeVisibleAsync();
        await report.CloseAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "Try it" }).First.ClickAsync();
        await page.Locator(".stage[data-ready]").WaitForAsync(); // the script is listening from here on
        await page.Locator(".stage input[type=file]").SetInputFilesAsync(Pets.Dogs[0]);
        await Expect(page.Locator(".bars li").First).ToContainTextAsync("dogs");
        await Expect(page.Locator(".stage .heat")).ToBeVisibleAsync();
        await Expect(page.Locator("pre")).ToContainTextAsync($"{cutting.Address}headstart/api/v1/models/");
        await page.GetByRole(AriaRole.Link, new() { Name = "API", Exact = true }).ClickAsync();
        await Expect(page.GetByText("Create a model").First).ToBeVisibleAsync();

        // The same host behind a proxy that passes the prefix on.
        await using var passingOn = await NginxBelowPrefix.StartAsync(site.Client.BaseAddress!, cuts: false, says: true);
        var other = await site.SignInAsync($"{passingOn.Address}headstart/");
        await other.GetByRole(AriaRole.Link, new() { NameRegex = BelowPrefix() }).ClickAsync();
        await Expect(other.GetByRole(AriaRole.Heading, new() { Name = "Pets below a prefix" })).ToBeVisibleAsync();
        // Where there are no thumbnails: one that is asked for after signing out would be refused.
        await other.GotoAsync($"{passingOn.Address}headstart/");
        await other.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(other).ToHaveURLAsync($"{passingOn.Address}headstart/signin");
        site.NobodyComplained();
    }

    [Fact]
    public void No_page_and_no_script_names_an_address_from_the_root()
    {
        var files = Directory.GetFiles(Repository.PathOf("src", "Headstart", "Web"), "*", SearchOption.AllDirectories)
            .Concat(Directory.GetFiles(Repository.PathOf("src", "Headstart", "wwwroot"), "*.js")).ToList();
        Assert.True(files.Count > 40, $"{files.Count}");
        Assert.All(files, file => Assert.DoesNotMatch("""(?i)((href|src|action)="(@\(\$")?|NavigateTo\(\$?"|(fetch|import)\(["'`]|\$"|url\()/[\w"]""", File.ReadAllText(file)));
    }

    [GeneratedRegex("New model|Create your first model")]
    private static partial Regex MakeModel();

    [GeneratedRegex("/headstart/models/[^/]+/training$")]
    private static partial Regex TrainingAddress();

    [GeneratedRegex("Pets below a prefix")]
    private static partial Regex BelowPrefix();
}
