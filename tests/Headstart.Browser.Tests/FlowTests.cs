using System.Text.RegularExpressions;
using Headstart.Tests;
using Headstart.Tests.Postgres;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Headstart.Browser.Tests;

/// <summary>From an empty service to a tested classifier, as a person does it.</summary>
public sealed partial class FlowTests(Site site)
{
    private const float LongRun = 240_000;

    [Fact]
    public async Task From_nothing_to_a_classifier_that_is_tried_corrected_and_rolled_back()
    {
        var page = await site.SignInAsync();
        await page.GetByRole(AriaRole.Link, new() { NameRegex = MakeModel() }).First.ClickAsync();
        await page.GetByLabel("Model name").FillAsync("Pets");
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Categories" }).FillAsync("cats, dogs");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create and add images" }).ClickAsync();

        // Sixty photographs, dropped.
        await page.Locator("[data-category=cats]").DropAsync(Pets.Cats);
        await page.Locator("[data-category=dogs]").DropAsync(Pets.Dogs);
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("30 images");
        await Expect(page.Locator("[data-category=dogs] .head span")).ToHaveTextAsync("30 images");

        // Training, seen live.
        await page.GetByRole(AriaRole.Button, new() { Name = "Train", Exact = true }).ClickAsync();
        await Expect(page).ToHaveURLAsync(TrainingAddress());
        await Expect(page.GetByRole(AriaRole.Progressbar, new() { Name = "Training progress" }).Or(page.GetByText("Created version 1")))
            .ToBeVisibleAsync();
        await Expect(page.GetByText("Backbones tried")).ToBeVisibleAsync(new() { Timeout = LongRun });
        await Expect(page.GetByText("Created version 1")).ToBeVisibleAsync(new() { Timeout = LongRun });

        // The result.
        await page.GetByRole(AriaRole.Link, new() { Name = "See the result" }).ClickAsync();
        await Expect(page.Locator(".sentence")).ToContainTextAsync("images not used for training");
        Assert.True(await AccuracyAsync(page) > 65);
        await page.GetByText("Precision–recall curves").ClickAsync();
        await Expect(page.Locator("svg[aria-label='Precision–recall curve of dogs']")).ToBeVisibleAsync();
        await Expect(page.Locator(".matrix button").First).ToBeVisibleAsync();
        await page.Locator(".matrix button").First.ClickAsync();
        await Expect(page.Locator("h3", new() { HasText = "predicted correctly" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { NameRegex = Looked() }).First.ClickAsync();
        await Expect(page.GetByText("show original image")).ToBeVisibleAsync();
        await WaitForPicturesAsync(page);

        // Tried on something that is neither, and corrected.
        await page.GetByRole(AriaRole.Link, new() { Name = "Try it" }).First.ClickAsync();
        using var folder = new TemporaryFolder();
        var strange = Photographs.Draw(folder, 2, seed: 5);
        var chooser = page.Locator(".stage input[type=file]");
        await chooser.SetInputFilesAsync(Pets.Dogs[0]);
        await Expect(page.Locator(".sentence")).ToContainTextAsync("dogs");
        await Expect(page.Locator(".stage .heat")).ToBeVisibleAsync();
        await chooser.SetInputFilesAsync(Directory.GetFiles(strange, "*", SearchOption.AllDirectories)[0]);
        await Expect(page.Locator(".sentence")).ToContainTextAsync("Unknown");
        await chooser.SetInputFilesAsync(Directory.GetFiles(strange, "*", SearchOption.AllDirectories)[1]);
        await Expect(page.Locator(".bars li")).ToHaveCountAsync(2);
        await page.GetByLabel("Wrong? Correct it").SelectOptionAsync("cats");
        await Expect(page.GetByText("was added to")).ToBeVisibleAsync();
        Assert.Equal(31, await CountAsync("cats"));

        // A second version, and back to the first.
        await page.GetByRole(AriaRole.Button, new() { Name = "Train now" }).ClickAsync();
        await Expect(page.GetByText("Created version 2")).ToBeVisibleAsync(new() { Timeout = LongRun });
        await page.GetByRole(AriaRole.Link, new() { Name = "See the result" }).ClickAsync();
        await page.GetByLabel("Compare with version").SelectOptionAsync("1");
        await Expect(page.GetByText("Version 2 compared with version 1")).ToBeVisibleAsync();
        await page.GetByLabel("Version", new() { Exact = true }).SelectOptionAsync("1");
        var publish = page.GetByRole(AriaRole.Button, new() { Name = "Publish version 1" });
        if (await PublishedAsync() != 1) // the second version was no worse, so it was published
        {
            await publish.ClickAsync();
            await Expect(page.GetByText("Version 1 is now published")).ToBeVisibleAsync();
        }

        Assert.Equal(1, await PublishedAsync());
        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByText("Download ONNX").ClickAsync());
        Assert.EndsWith(".zip", download.SuggestedFilename, StringComparison.Ordinal);
        site.NobodyComplained();
    }

    private static async Task<double> AccuracyAsync(IPage page) =>
        double.Parse((await page.Locator(".facts dd").First.InnerTextAsync()).Split('%')[0],
            System.Globalization.CultureInfo.InvariantCulture);

    private static async Task WaitForPicturesAsync(IPage page) =>
        await page.WaitForFunctionAsync("() => [...document.querySelectorAll('.shots img')].slice(0, 3).every(image => image.complete && "
            + "image.naturalWidth > 0)");

    private async Task<int> CountAsync(string category) =>
        (int)(await ModelAsync())["categories"]!.AsArray().Single(c => (string?)c!["name"] == category)!["imageCount"]!;

    private async Task<int?> PublishedAsync() => (int?)(await ModelAsync())["publishedVersion"];

    private async Task<System.Text.Json.Nodes.JsonNode> ModelAsync() =>
        (await site.Client.GetJsonAsync("/api/v1/models"))["items"]!.AsArray().Single(m => (string?)m!["name"] == "Pets")!;

    [GeneratedRegex("New model|Create your first model")]
    private static partial Regex MakeModel();

    [GeneratedRegex("^Show heat map")]
    private static partial Regex Looked();

    [GeneratedRegex("/training$")]
    private static partial Regex TrainingAddress();
}
