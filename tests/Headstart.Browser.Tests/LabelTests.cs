using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Headstart.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Headstart.Browser.Tests;

/// <summary>Drawing boxes around the objects of images, as a person does it.</summary>
public sealed partial class LabelTests(Site site)
{
    [Fact]
    public async Task From_nothing_to_labelled_images_with_mouse_and_keyboard()
    {
        var page = await CreateAsync("Raccoons", Animals(6));
        await Expect(page.Locator(".tile")).ToHaveCountAsync(6);
        await Expect(page.GetByLabel("Show", new() { Exact = true })).ToContainTextAsync("not labelled yet (6)");
        await Expect(page.Locator(".chip")).ToHaveTextAsync("collecting");
        var model = $"/api/v1/models/{Model().Match(page.Url).Groups[1].Value}";
        var last = (await site.Client.GetJsonAsync($"{model}/images"))["items"]!.AsArray()[^1]!["id"];
        var comes = new TaskCompletionSource();
        await page.RouteAsync($"**/images/{last}/content?*", async route =>
        {
            await comes.Task.WaitAsync(Api.Cancel);
            await route.ContinueAsync();
        });
        await page.GetByRole(AriaRole.Link, new() { Name = "Draw boxes" }).ClickAsync();

        // The first box needs the name of its category. From then on an image takes one drag and one key.
        await ShownAsync(page, toGo: 5);
        await DragAsync(page, (0.2, 0.2), (0.6, 0.7));
        await Expect(page.GetByLabel("Category", new() { Exact = true })).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("raccoon");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".box .tag")).ToHaveTextAsync("raccoon");
        await Expect(page.Locator(".box")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");

        await ShownAsync(page, toGo: 4);
        await DragAsync(page, (0.9, 0.8), (0.1, 0.3)); // whichever corner comes first
        await page.Keyboard.PressAsync("Enter");

        // Moved, resized by a handle, both undone and one of them done again.
        await ShownAsync(page, toGo: 3);
        await DragAsync(page, (0.2, 0.2), (0.5, 0.5));
        await DragAsync(page, (0.3, 0.3), (0.4, 0.5));
        await DragAsync(page, (0.6, 0.7), (0.7, 0.9));
        await Expect(page.Locator(".box")).ToHaveAttributeAsync("aria-label", Box(30, 40, 40, 50));
        await page.Keyboard.PressAsync("Control+z");
        await page.Keyboard.PressAsync("Control+z");
        await page.Keyboard.PressAsync("Control+Shift+z");
        await Expect(page.Locator(".box")).ToHaveAttributeAsync("aria-label", Box(30, 40, 30, 30));
        var undone = await IdAsync(page);
        await page.Keyboard.PressAsync("n");

        // By keyboard alone: a new box, moved and resized, another one that is deleted again.
        await ShownAsync(page, toGo: 2);
        await page.Keyboard.PressAsync("b");
        await PressAsync(page, "ArrowLeft", 3);
        await PressAsync(page, "Shift+ArrowDown", 5);
        await page.Keyboard.PressAsync("b");
        await page.Keyboard.PressAsync("Delete");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator(".box")).ToBeFocusedAsync();
        var difficult = page.Locator("[data-part=difficult]");
        await Expect(difficult).Not.ToBeCheckedAsync();
        await page.Keyboard.PressAsync("d");
        await Expect(difficult).ToBeCheckedAsync();
        await difficult.UncheckAsync();
        await difficult.CheckAsync();
        await Expect(page.Locator(".box")).ToBeFocusedAsync();
        await Expect(page.Locator(".box .tag")).ToHaveTextAsync("raccoon (difficult)");
        var byKeys = await IdAsync(page);
        await page.Keyboard.PressAsync("Enter");

        await ShownAsync(page, toGo: 1);
        var empty = await IdAsync(page);
        await page.Keyboard.PressAsync("0");

        // As long as the next image has not come, nothing is drawn on it.
        await Expect(page).ToHaveURLAsync(new Regex($"/label/{last}$"));
        await page.Keyboard.PressAsync("b");
        comes.SetResult();
        await ShownAsync(page, toGo: 0);
        await Expect(page.Locator(".box")).ToHaveCountAsync(0);

        // Whoever leaves with boxes that are not saved is asked.
        await DragAsync(page, (0.1, 0.1), (0.3, 0.3));
        var asked = new TaskCompletionSource<string>();
        page.Dialog += async (_, dialog) =>
        {
            asked.TrySetResult(dialog.Message);
            await dialog.DismissAsync();
        };
        await page.GetByRole(AriaRole.Link, new() { Name = "Images", Exact = true }).ClickAsync();
        Assert.Contains("not saved", await asked.Task.WaitAsync(Api.Cancel), StringComparison.Ordinal);
        await page.Locator(".board").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("Every image is labelled")).ToBeVisibleAsync();

        // What is stored, and what the pages show of it.
        var images = (await site.Client.GetJsonAsync($"{model}/images?boxes=true"))["items"]!.AsArray()
            .ToDictionary(image => (string)image!["id"]!, image => image!["boxes"]!.AsArray());
        Assert.Equal(6, images.Count);
        Assert.Empty(images[empty]);
        Assert.All(images.Where(image => image.Key != empty), image => Assert.Equal("raccoon", (string?)image.Value.Single()!["category"]));
        var box = images[byKeys].Single()!;
        Assert.Equal([byKeys], images.Where(image => image.Value.Any(one => (bool)one!["difficult"]!)).Select(image => image.Key));
        Assert.Equal([0.345, 0.375, 0.25, 0.3],
            ((string[])["x", "y", "width", "height"]).Select(side => Math.Round((double)box[side]!, 3)));
        await page.GotoAsync($"/models/{model.Split('/')[^1]}/label/{undone}");
        await Expect(page.Locator(".box")).ToHaveAttributeAsync("aria-label", Box(30, 40, 30, 30));
        await page.GetByRole(AriaRole.Link, new() { Name = "Images", Exact = true }).ClickAsync();
        await Expect(page.GetByLabel("Show", new() { Exact = true })).ToContainTextAsync("labelled (6)");
        await Expect(page.Locator(".tile rect")).ToHaveCountAsync(5);
        await Expect(page.Locator(".tile", new() { HasText = "nothing here" })).ToHaveCountAsync(1);
        site.NobodyComplained();
    }

    [Fact]
    public async Task Fingers_draw_move_and_zoom_on_a_small_screen()
    {
        var (model, page) = await NewAsync(2, width: 360);
        await ShownAsync(page, toGo: 1);
        await FingersAsync(page, [(0.3, 0.3)], [(0.7, 0.6)]);
        await FingersAsync(page, [(0.5, 0.5)], [(0.4, 0.4)]);
        await Expect(page.Locator(".box")).ToHaveAttributeAsync("aria-label", Near("cat", 20, 20, 40, 30));

        var before = (await page.Locator(".sheet").BoundingBoxAsync())!;
        await FingersAsync(page, [(0.4, 0.5), (0.6, 0.5)], [(0.2, 0.5), (0.8, 0.5)]);
        var after = (await page.Locator(".sheet").BoundingBoxAsync())!;
        Assert.InRange(after.Width / before.Width, 2.5, 3.5);
        await Expect(page.Locator(".box")).ToHaveCountAsync(1); // the fingers have drawn nothing
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Save and go on" }).ClickAsync();
        await ShownAsync(page, toGo: 0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Nothing here" }).ClickAsync();
        await Expect(page.GetByText("Every image is labelled")).ToBeVisibleAsync();
        Assert.Equal([0, 1], await CountsAsync(model));
        site.NobodyComplained();
    }

    [Fact]
    public async Task Boxes_of_different_categories_are_told_apart_and_what_cannot_be_saved_stays()
    {
        var (model, page) = await NewAsync(1);
        await ShownAsync(page, toGo: 0);
        await DragAsync(page, (0.1, 0.1), (0.8, 0.8));
        await page.Keyboard.PressAsync("2");
        await page.Keyboard.PressAsync("Escape");
        await DragAsync(page, (0.3, 0.3), (0.5, 0.5)); // within the first one, which is not selected
        await page.GetByLabel("Category", new() { Exact = true }).FillAsync("Owl");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".box .tag")).ToHaveTextAsync(["dog", "Owl"]);
        await ClickAsync(page, (0.4, 0.4)); // the small box is selected already, so the click means the one around it
        await Expect(page.Locator(".box").First).ToHaveAttributeAsync("aria-pressed", "true");

        await page.RouteAsync("**/boxes", route => route.AbortAsync());
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("Not saved: No connection to the server.");
        await page.UnrouteAllAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("Every image is labelled")).ToBeVisibleAsync();
        Assert.Equal([2], await CountsAsync(model));
        Assert.Equal(["cat", "dog", "Owl"],
            (await site.Client.GetJsonAsync(model))["categories"]!.AsArray().Select(c => (string)c!["name"]!));
        site.NobodyComplained();
    }

    /// <summary>The answers of the published version are written here, so that the test knows what they should become.</summary>
    [Fact]
    public async Task Suggestions_are_accepted_with_one_key_and_uncertain_images_come_first()
    {
        var (model, page) = await NewAsync(4, open: false);
        await page.RouteAsync($"**{model}", async route =>
        {
            var answer = await route.FetchAsync();
            var known = JsonNode.Parse(await answer.TextAsync())!;
            known["publishedVersion"] = 1;
            await route.FulfillAsync(new() { Response = answer, Body = known.ToJsonString() });
        });
        var asked = new List<string>();
        await page.RouteAsync("**/predictions", route =>
        {
            asked.AddRange(FileName().Matches(route.Request.PostDataBuffer is { } body ? System.Text.Encoding.Latin1.GetString(body) : "")
                .Select(match => match.Groups[1].Value));
            var predictions = asked.Select((_, i) => new { objects = Objects(i == 2 ? 0.55 : 0.9) });
            return route.FulfillAsync(new() { ContentType = "application/json", Body = JsonSerializer.Serialize(new { predictions }) });
        });
        // The page shows images in their own order if the predictions take three seconds; here it waits for them.
        await page.EvaluateAsync("""
            () => { const wait = setTimeout; window.setTimeout = (f, ms, ...more) => wait(f, ms === 3000 ? 60000 : ms, ...more); }
            """);
        await page.EvaluateAsync("path => Blazor.navigateTo(path)", $"{model.Replace("/api/v1", "", StringComparison.Ordinal)}/label");

        await ShownAsync(page, toGo: 3);
        Assert.Equal(4, asked.Count);
        Assert.Equal(asked[2], await IdAsync(page));
        await Expect(page.Locator(".box.suggested")).ToHaveCountAsync(2);
        await page.Keyboard.PressAsync("a");
        await Expect(page.Locator(".box.suggested")).ToHaveCountAsync(0);
        await page.Keyboard.PressAsync("Control+z");
        await Expect(page.Locator(".box.suggested")).ToHaveCountAsync(2);
        await page.Keyboard.PressAsync("a");
        await page.Keyboard.PressAsync("Enter");

        await ShownAsync(page, toGo: 2);
        await ClickAsync(page, (0.25, 0.25));
        await Expect(page.Locator(".box.suggested")).ToHaveCountAsync(1);
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Delete"); // dismisses the other one
        await Expect(page.Locator(".box.suggested")).ToHaveCountAsync(0);
        await page.Keyboard.PressAsync("Enter");
        await ShownAsync(page, toGo: 1);
        Assert.Equal([1, 2], await CountsAsync(model));
        site.NobodyComplained();
    }

    private static object[] Objects(double least) =>
    [
        new { label = "cat", probability = 0.97, box = new { x = 0.1, y = 0.1, width = 0.3, height = 0.3 } },
        new { label = "dog", probability = least, box = new { x = 0.5, y = 0.5, width = 0.3, height = 0.3 } },
        new { label = "gone", probability = 0.99, box = new { x = 0.0, y = 0.0, width = 0.3, height = 0.3 } }, // was renamed since
    ];

    /// <summary>A new model and its images, made as a person does it.</summary>
    private async Task<IPage> CreateAsync(string name, string[] images)
    {
        var page = await site.SignInAsync("/new");
        await page.GetByLabel("Model name").FillAsync(name);
        await page.GetByLabel("Images, objects in boxes").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create and add images" }).ClickAsync();
        await page.GetByLabel("Choose files").SetInputFilesAsync(images);
        return page;
    }

    /// <summary>A model of cats and dogs with images that nobody has labelled.</summary>
    private async Task<(string Model, IPage Page)> NewAsync(int images, int width = 1_200, bool open = true)
    {
        var path = await site.Client.NewDetectorAsync("cat", "dog");
        using var form = Api.Form(null, Animals(images).Select(file => (Path.GetFileName(file), File.ReadAllBytes(file))));
        await (await site.Client.PostAsync($"{path}/images", form, Api.Cancel)).JsonAsync();
        return (path, await site.SignInAsync(open ? $"{path["/api/v1".Length..]}/label" : "/", width));
    }

    private async Task<IEnumerable<int>> CountsAsync(string model) =>
        (await site.Client.GetJsonAsync($"{model}/images?boxes=true"))["items"]!.AsArray()
            .Select(image => image!["boxes"]!.AsArray().Count).Order();

    /// <summary>Real pictures of a public set for detectors where they are at hand, or else of cats.</summary>
    private static string[] Animals(int count) => [.. (SharedFolder.Root is { } root
        && Path.Combine(root, "datasets", "detection", "raccoons", "images") is var folder && Directory.Exists(folder)
            ? Directory.GetFiles(folder).Order(StringComparer.Ordinal) : Pets.Cats.AsEnumerable()).Take(count)];

    private static async Task ShownAsync(IPage page, int toGo)
    {
        await Expect(page.Locator("[data-part=count]")).ToContainTextAsync($"· {toGo} to go");
        await Expect(page.Locator(".sheet")).ToBeVisibleAsync();
    }

    private static async Task<string> IdAsync(IPage page)
    {
        await Expect(page).ToHaveURLAsync(Image());
        return Image().Match(page.Url).Groups[1].Value;
    }

    private static async Task DragAsync(IPage page, (double X, double Y) from, (double X, double Y) to)
    {
        var (start, end) = (await PointAsync(page, from), await PointAsync(page, to));
        await page.Mouse.MoveAsync(start.X, start.Y);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(end.X, end.Y, new() { Steps = 3 });
        await page.Mouse.UpAsync();
    }

    private static async Task ClickAsync(IPage page, (double X, double Y) at)
    {
        var (x, y) = await PointAsync(page, at);
        await page.Mouse.ClickAsync(x, y);
    }

    private static async Task FingersAsync(IPage page, (double X, double Y)[] from, (double X, double Y)[] to)
    {
        const int Steps = 4;
        var fingers = await page.Context.NewCDPSessionAsync(page);
        var (start, end) = (await PointsAsync(page, from), await PointsAsync(page, to));
        await TouchAsync("touchStart", start);
        for (var step = 1; step <= Steps; step++)
        {
            await TouchAsync("touchMove",
                [.. start.Zip(end, (a, b) => (a.X + (b.X - a.X) * step / Steps, a.Y + (b.Y - a.Y) * step / Steps))]);
        }

        await TouchAsync("touchEnd", []);

        Task TouchAsync(string type, (float X, float Y)[] points) => fingers.SendAsync("Input.dispatchTouchEvent", new()
        {
            ["type"] = type,
            ["touchPoints"] = points.Select((point, id) => new { x = point.X, y = point.Y, id }).ToArray(),
        });
    }

    private static async Task<(float X, float Y)[]> PointsAsync(IPage page, (double X, double Y)[] points)
    {
        var found = new List<(float, float)>();
        foreach (var point in points)
        {
            found.Add(await PointAsync(page, point));
        }

        return [.. found];
    }

    /// <summary>A point of the picture, from 0 to 1, in pixels of the page.</summary>
    private static async Task<(float X, float Y)> PointAsync(IPage page, (double X, double Y) point)
    {
        var sheet = (await page.Locator(".sheet").BoundingBoxAsync())!;
        return ((float)(sheet.X + point.X * sheet.Width), (float)(sheet.Y + point.Y * sheet.Height));
    }

    private static async Task PressAsync(IPage page, string key, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await page.Keyboard.PressAsync(key);
        }
    }

    /// <summary>What a screen reader says of an image's only box; a percent more or less is a pixel.</summary>
    private static Regex Box(int left, int top, int width, int height) => Near("raccoon", left, top, width, height);

    private static Regex Near(string category, int left, int top, int width, int height)
    {
        static string Around(int percent) => string.Create(CultureInfo.InvariantCulture, $"({percent - 1}|{percent}|{percent + 1})");
        return new($"^{category}, 1 of 1, left {Around(left)} %, top {Around(top)} %, {Around(width)} % wide, {Around(height)} % high$");
    }

    [GeneratedRegex("/models/([^/]+)/")]
    private static partial Regex Model();

    [GeneratedRegex("/label/([^/]+)$")]
    private static partial Regex Image();

    [GeneratedRegex("filename=\"([^\"]+)\\.jpg\"")]
    private static partial Regex FileName();
}
