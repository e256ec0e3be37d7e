using System.Net;
using Headstart.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Headstart.Browser.Tests;

/// <summary>Sorting the images of a model.</summary>
public sealed class ImagesTests(Site site)
{
    [Fact]
    public async Task Images_are_moved_and_deleted_by_keyboard_alone_and_come_back()
    {
        var (path, page) = await PetsAsync();
        await page.GetByRole(AriaRole.Listbox, new() { Name = "Images" }).FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("Control+1"); // a shortcut of the browser, which moves no image
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("1"); // the newest are dogs; cats are the first category
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("4 images");
        await Expect(page.GetByText("1 image moved to cats")).ToBeVisibleAsync();
        await UndoAsync(page, "1 image moved to cats");
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("3 images");

        await page.GetByRole(AriaRole.Listbox, new() { Name = "Images" }).FocusAsync();
        await page.Keyboard.PressAsync(" ");
        await Expect(page.Locator(".tile[aria-selected=true]")).ToHaveCountAsync(1);
        await page.Keyboard.PressAsync("Delete");
        await Expect(page.Locator(".tile")).ToHaveCountAsync(5);
        await UndoAsync(page, "1 image deleted");
        await Expect(page.Locator(".tile")).ToHaveCountAsync(6);

        await page.GetByRole(AriaRole.Listbox, new() { Name = "Images" }).FocusAsync();
        await page.Keyboard.PressAsync("Delete");
        await Expect(page.Locator(".tile")).ToHaveCountAsync(5);
        await page.GotoAsync("/"); // leaving the page makes the deletion final
        await EventuallyAsync(async () => (await site.Client.GetJsonAsync($"{path}/images"))["items"]!.AsArray().Count == 5);
        site.NobodyComplained();
    }

    [Fact]
    public async Task An_image_is_dragged_to_another_category()
    {
        var (path, page) = await PetsAsync();
        await page.Locator(".tile").First.DragToAsync(page.Locator("[data-category=cats]"));

        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("4 images");
        var moved = (await site.Client.GetJsonAsync($"{path}/images?category=cats"))["items"]!.AsArray();
        Assert.Equal(1, moved.Count(image => (bool)image!["confirmed"]!));
        site.NobodyComplained();
    }

    [Fact]
    public async Task Similar_categories_are_merged_and_one_is_renamed_and_both_are_undone()
    {
        var path = await site.Client.NewModelAsync("cats", "Cats", "dogs");
        await site.Client.UploadAsync(path, "cats", Pets.Cats.Take(2));
        await site.Client.UploadAsync(path, "Cats", Pets.Cats[5]);
        await site.Client.UploadAsync(path, "dogs", Pets.Dogs.Take(2));
        var page = await site.SignInAsync(path.Replace("/api/v1", "", StringComparison.Ordinal) + "/images");

        await Expect(page.GetByText("are similar: they differ only in case")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Merge into cats", Exact = true }).ClickAsync();
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("3 images");
        await Expect(page.GetByText("are similar")).ToBeHiddenAsync();
        await UndoAsync(page, "\"Cats\" merged into cats");
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("2 images");
        await Expect(page.GetByText("are similar")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Rename dogs" }).ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("hounds");
        await page.GetByRole(AriaRole.Button, new() { Name = "Rename", Exact = true }).ClickAsync();
        await Expect(page.Locator("[data-category=hounds] .head span")).ToHaveTextAsync("2 images");
        await UndoAsync(page, "dogs renamed to hounds");
        await Expect(page.Locator("[data-category=dogs] .head span")).ToHaveTextAsync("2 images");
        site.NobodyComplained();
    }

    [Fact]
    public async Task A_wrong_label_and_a_duplicate_are_found_and_answered_with_a_click()
    {
        // Ten of each, three cats among the dogs, and a photograph that came twice in two sizes.
        var path = await site.Client.NewModelAsync("cats", "dogs");
        var (cats, dogs) = (Pets.Cats, Pets.Dogs);
        await site.Client.UploadAsync(path, "cats", cats.Take(10));
        await site.Client.UploadAsync(path, "dogs", dogs.Take(10));
        await site.Client.UploadAsync(path, "dogs", cats[20..23]);
        using (var form = Api.Form("cats", ("again.jpg",
            Headstart.Learning.Imaging.ImageReader.Thumbnail(File.ReadAllBytes(cats[3]), 300))))
        {
            (await site.Client.PostAsync($"{path}/images", form, Api.Cancel)).EnsureSuccessStatusCode();
        }

        Assert.Equal("succeeded", (string?)(await site.Client.TrainAsync(path))["state"]);
        var page = await site.SignInAsync(path.Replace("/api/v1", "", StringComparison.Ordinal) + "/images?show=suspects");
        await page.GetByRole(AriaRole.Button, new() { Name = "Change to cats" }).First.ClickAsync();
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("12 images");

        await page.GetByLabel("Show", new() { Exact = true }).SelectOptionAsync("Duplicates");
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep only again.jpg" }).ClickAsync();
        await Expect(page.GetByText("No duplicates")).ToBeVisibleAsync();
        await Expect(page.GetByText("1 image deleted")).ToBeHiddenAsync(); // the undo message has closed
        await EventuallyAsync(async () => (await site.Client.GetJsonAsync($"{path}/images?limit=100"))["items"]!.AsArray().Count == 23);
        site.NobodyComplained();
    }

    private async Task<(string Path, IPage Page)> PetsAsync()
    {
        var path = await site.Client.PetsAsync(3);
        var page = await site.SignInAsync(path.Replace("/api/v1", "", StringComparison.Ordinal) + "/images");
        await Expect(page.Locator(".tile")).ToHaveCountAsync(6);
        return (path, page);
    }

    private static Task UndoAsync(IPage page, string what) =>
        page.Locator(".mud-snackbar", new() { HasText = what }).GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        for (var looks = 0; !await holds(); looks++)
        {
            Assert.True(looks < 300, "The condition did not become true within 30 s.");
            await Task.Delay(100, Api.Cancel);
        }
    }
}
