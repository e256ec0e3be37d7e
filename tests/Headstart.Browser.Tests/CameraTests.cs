using System.Text.RegularExpressions;
using Headstart.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Headstart.Browser.Tests;

/// <summary>From the camera to a classifier that is tried with the camera, on a small screen.</summary>
public sealed partial class CameraTests(Site site)
{
    private const float LongRun = 240_000;

    [Fact]
    public async Task Frames_are_held_into_categories_trained_and_tried_live()
    {
        var path = await site.Client.NewModelAsync("disc");
        var page = await site.SignInAsync(path.Replace("/api/v1", "", StringComparison.Ordinal) + "/images", width: 360);
        await page.GetByRole(AriaRole.Button, new() { Name = "use the camera" }).ClickAsync();
        var hold = page.GetByRole(AriaRole.Button, new() { Name = "Hold to record" });
        var count = page.GetByRole(AriaRole.Group, new() { Name = "Camera" }).Locator(".count");

        await hold.HoverAsync();
        await page.Mouse.DownAsync();
        await Expect(count).ToHaveTextAsync(Several());
        await page.Mouse.UpAsync();
        await EventuallyAsync(async () => await CountAsync(path, "disc") == await TakenAsync(count));
        var first = await TakenAsync(count);

        await page.GetByRole(AriaRole.Button, new() { Name = "new category" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Name").FillAsync("stripe");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Expect(page.GetByLabel("Category for the frames")).ToHaveValueAsync("stripe");
        await hold.FocusAsync();
        await page.Keyboard.DownAsync(" ");
        await Expect(count).Not.ToHaveTextAsync($"{first} frames taken");
        await page.Keyboard.UpAsync(" ");
        await EventuallyAsync(async () => await CountAsync(path, "stripe") == await TakenAsync(count) - first);
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Close camera" }).ClickAsync();
        await Expect(page.Locator("video")).ToBeHiddenAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Train", Exact = true }).ClickAsync();
        await Expect(page.GetByText("Created version 1")).ToBeVisibleAsync(new() { Timeout = LongRun });

        await page.GetByRole(AriaRole.Link, new() { Name = "Try it" }).First.ClickAsync();
        await page.Locator(".stage[data-ready]").WaitForAsync(); // the script is listening from here on
        await page.GetByRole(AriaRole.Button, new() { Name = "use the camera" }).ClickAsync();
        await Expect(page.GetByText("What the camera sees now")).ToBeVisibleAsync();
        await Expect(page.Locator(".bars li")).ToHaveCountAsync(2);
        await page.WaitForResponseAsync(response => response.Url.Contains("/predictions?top=20", StringComparison.Ordinal)); // and again
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Take photo" }).ClickAsync();
        await Expect(page.GetByLabel("Wrong? Correct it")).ToBeVisibleAsync();
        site.NobodyComplained();
    }

    [Fact]
    public async Task Images_are_moved_to_the_test_set_and_filtered_by_it()
    {
        var path = await site.Client.PetsAsync(3);
        var page = await site.SignInAsync(path.Replace("/api/v1", "", StringComparison.Ordinal) + "/images");
        await page.Locator(".tile").First.ClickAsync();
        await page.GetByLabel("use for").SelectOptionAsync("testing only");
        await Expect(page.GetByText("1 image kept for testing: no later run learns from it")).ToBeVisibleAsync();

        await page.GetByLabel("Filter by training or test set").SelectOptionAsync("test set");
        await Expect(page.Locator(".tile .what").First).ToContainTextAsync("test");
        var given = (await site.Client.GetJsonAsync($"{path}/images?split=test"))["items"]!.AsArray()
            .Count(image => (bool)image!["splitGiven"]!);
        Assert.Equal(1, given);
        site.NobodyComplained();
    }

    private static async Task<int> TakenAsync(ILocator count) =>
        int.Parse((await count.InnerTextAsync()).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

    private async Task<int> CountAsync(string path, string category) =>
        (int)(await site.Client.GetJsonAsync(path))["categories"]!.AsArray().Single(c => (string?)c!["name"] == category)!["imageCount"]!;

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        for (var looks = 0; !await holds(); looks++)
        {
            Assert.True(looks < 300, "The condition did not become true within 30 s.");
            await Task.Delay(100, Api.Cancel);
        }
    }

    [GeneratedRegex("^([3-9]|[1-9][0-9]+) frames taken$")]
    private static partial Regex Several();
}
