using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Headstart.Tests;
using Headstart.Tests.Uploads;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Headstart.Browser.Tests;

/// <summary>Every page is accessible, fits a small screen and loads nothing that its Content-Security-Policy forbids.</summary>
public sealed class EveryPageTests(Site site, EveryPageTests.Trained trained) : IClassFixture<EveryPageTests.Trained>
{
    private static readonly string[] Serious = ["serious", "critical"];

    [Theory]
    [InlineData(ColorScheme.Light, 1_200)]
    [InlineData(ColorScheme.Dark, 360)]
    public async Task Axe_finds_nothing_serious_and_nothing_is_wider_than_the_screen(ColorScheme scheme, int width)
    {
        Needs.Time();
        var page = await site.OpenAsync(width, 800, scheme);
        await page.GotoAsync("/signin");
        await CheckAsync(page, width);
        await page.CloseAsync();

        page = await site.SignInAsync(width: width, height: 800, scheme: scheme);
        foreach (var (path, shows) in Pages())
        {
            await page.EvaluateAsync("path => Blazor.navigateTo(path)", path); // like a link, without reloading the app
            await Expect(page.GetByText(shows).First).ToBeVisibleAsync();
            await CheckAsync(page, width);
        }

        await page.EvaluateAsync("() => Blazor.navigateTo('/keys')");
        await page.GetByRole(AriaRole.Button, new() { Name = "New key" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await page.WaitForTimeoutAsync(400); // the dialog fades in, and axe measures the contrast of the moment
        await CheckAsync(page, width);
        site.NobodyComplained();
    }

    [Fact]
    public async Task Without_a_key_every_page_leads_to_the_sign_in_and_back()
    {
        var page = await site.OpenAsync();
        await page.GotoAsync("/keys");
        await Expect(page).ToHaveTitleAsync("Sign in · Headstart");
        await page.GetByLabel("API key").FillAsync("a wrong one");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("unknown, revoked or expired");
        await page.GetByLabel("API key").FillAsync(Api.Key);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Keys and usage" })).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page).ToHaveTitleAsync("Sign in · Headstart");
        await page.GotoAsync("/");
        await Expect(page).ToHaveTitleAsync("Sign in · Headstart");
        site.NobodyComplained();
    }

    [Fact]
    public async Task A_key_is_shown_once_copied_and_revoked()
    {
        var page = await site.SignInAsync("/keys");
        await page.GetByRole(AriaRole.Button, new() { Name = "New key" }).ClickAsync();
        await page.GetByLabel("Key name").FillAsync("web shop");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();
        var secret = await page.Locator(".secret code").InnerTextAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Copy" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();
        Assert.Equal(secret, await page.EvaluateAsync<string>("() => navigator.clipboard.readText()"));
        await page.ReloadAsync();
        await Expect(page.GetByRole(AriaRole.Rowheader, new() { Name = "web shop" })).ToBeVisibleAsync();
        await Expect(page.GetByText(secret)).ToHaveCountAsync(0);

        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke web shop" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Row, new() { NameRegex = new("web shop") })).ToContainTextAsync("revoked");
        site.NobodyComplained();
    }

    [Fact]
    public async Task The_camera_gives_a_photograph_to_try()
    {
        var page = await site.SignInAsync($"{trained.Path}/try");
        await page.Locator(".stage[data-ready]").WaitForAsync(); // the script is listening from here on
        await page.GetByRole(AriaRole.Button, new() { Name = "use the camera" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Take photo" }).ClickAsync();
        await Expect(page.Locator(".bars li")).ToHaveCountAsync(2);

        await page.GetByRole(AriaRole.Button, new() { Name = "Python" }).ClickAsync();
        await Expect(page.Locator("pre")).ToContainTextAsync($"{site.Client.BaseAddress}api/v1{trained.Path}/predictions");
        site.NobodyComplained();
    }

    [Fact]
    public async Task A_photograph_is_pasted_and_dropped_to_try()
    {
        var page = await site.SignInAsync($"{trained.Path}/try");
        foreach (var (file, kind) in Pets.Cats[20..22].Zip(["paste", "drop"]))
        {
            await page.Locator(".stage[data-ready]").WaitForAsync(); // the script is listening from here on
            await page.EvaluateAsync("""
                ([bytes, kind]) => {
                  const data = new DataTransfer();
                  data.items.add(new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], 'cat.jpg', { type: 'image/jpeg' }));
                  document.querySelector('.stage').dispatchEvent(kind === 'paste'
                    ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true }) : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
                }
                """, new[] { Convert.ToBase64String(File.ReadAllBytes(file)), kind });
            await Expect(page.Locator(".bars li").First).ToContainTextAsync("cats");
            await page.ReloadAsync();
        }

        site.NobodyComplained();
    }

    [Fact]
    public async Task A_model_is_renamed_its_run_cancelled_and_it_is_deleted()
    {
        var path = await site.Client.PetsAsync(3);
        var page = await site.SignInAsync(path.Replace("/api/v1", "", StringComparison.Ordinal) + "/images");
        await page.GetByRole(AriaRole.Button, new() { Name = "Model actions" }).ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Rename" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Name").FillAsync("House pets");
        await page.GetByRole(AriaRole.Button, new() { Name = "Rename", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "House pets" })).ToBeVisibleAsync();

        await using (var database = await site.Program.ConnectAsync())
        {
            await using var hold = new Npgsql.NpgsqlCommand(
                $"BEGIN; SELECT FROM models WHERE id = '{path[^36..]}' FOR KEY SHARE", database);
            await hold.ExecuteNonQueryAsync(Api.Cancel); // the run cannot publish anything before it is cancelled
            await page.GetByRole(AriaRole.Button, new() { Name = "Train", Exact = true }).ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).First.ClickAsync();
            await Expect(page.GetByText("Training run cancelled")).ToBeVisibleAsync();
        }

        await page.GetByRole(AriaRole.Button, new() { Name = "Model actions" }).ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = "Delete model" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Models" })).ToBeVisibleAsync();
        using var gone = await site.Client.GetAsync(path, Api.Cancel);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, gone.StatusCode);
        site.NobodyComplained();
    }

    [Fact]
    public async Task A_text_is_tried_explained_word_by_word_and_corrected()
    {
        var page = await site.SignInAsync($"{trained.Texts}/try");
        await page.GetByLabel("Enter a text the model has not seen").FillAsync("A wonderful and funny film");
        await page.GetByRole(AriaRole.Button, new() { Name = "Classify" }).ClickAsync();
        await Expect(page.Locator(".sentence")).ToContainTextAsync("good");
        await Expect(page.Locator(".words span[style]").First).ToBeVisibleAsync();
        await page.GetByLabel("Wrong? Correct it").SelectOptionAsync("bad");
        await Expect(page.GetByText("was added to")).ToBeVisibleAsync();

        await page.GotoAsync($"{trained.Texts}/texts");
        await page.GetByLabel("Show", new() { Exact = true }).SelectOptionAsync("bad");
        var text = page.Locator(".texts li", new() { HasText = "A wonderful and funny film" });
        await text.GetByRole(AriaRole.Button, new() { Name = "Delete text" }).ClickAsync();
        await Expect(text).ToHaveCountAsync(0);
        await Expect(page.GetByText("Text deleted")).ToBeVisibleAsync();
        site.NobodyComplained();
    }

    [Fact]
    public async Task A_key_is_copied_where_the_browser_has_no_clipboard_and_stays_shown_where_that_fails()
    {
        var page = await site.SignInAsync("/keys");
        await page.GetByRole(AriaRole.Button, new() { Name = "New key" }).ClickAsync();
        await page.GetByLabel("Key name").FillAsync("phone");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();
        var copy = page.Locator(".secret button");
        var secret = await page.Locator(".secret code").InnerTextAsync();
        await page.EvaluateAsync("() => { Object.defineProperty(navigator, 'clipboard', { value: undefined }); }"); // as over plain http
        await page.EvaluateAsync(
            "() => { document.execCommand = () => { window.selected = document.activeElement.value; return false; }; }");
        await copy.ClickAsync();
        await Expect(page.GetByText("Select the text and copy it")).ToBeVisibleAsync();
        Assert.Equal(secret, await page.EvaluateAsync<string>("() => window.selected"));
        await Expect(page.Locator(".secret code")).ToHaveTextAsync(secret);

        await page.EvaluateAsync("() => { document.execCommand = () => true; }");
        await copy.ClickAsync();
        await Expect(copy).ToHaveTextAsync("Copied");
        site.NobodyComplained();
    }

    [Fact]
    public async Task Long_pasted_texts_are_added_and_the_filter_follows_a_renamed_category()
    {
        var made = await (await site.Client.PostAsync("/api/v1/models",
            new { name = "Pasted", kind = "textClassification", categories = new[] { "good", "bad" } }))
            .JsonAsync(System.Net.HttpStatusCode.Created);
        var page = await site.SignInAsync($"/models/{made["id"]}/texts");
        // More than the 32 KB that a connection takes by default. Few lines: a browser needs seconds for a thousand that are typed at once.
        var lines = Enumerable.Range(1, 20).Select(i => $"Text {i} {new string('x', 2_000)}");
        await page.Locator("#new-texts").FillAsync(string.Join('\n', lines));
        await page.GetByLabel("Category of the new texts").SelectOptionAsync("good");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(page.GetByText("20 texts added")).ToBeVisibleAsync();

        var show = page.GetByLabel("Show", new() { Exact = true });
        await show.SelectOptionAsync("good");
        await page.GetByRole(AriaRole.Button, new() { Name = "rename this category" }).ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("fine");
        await page.GetByRole(AriaRole.Button, new() { Name = "Rename", Exact = true }).ClickAsync();
        await Expect(page.GetByText("good renamed to fine")).ToBeVisibleAsync();
        await Expect(show).ToHaveValueAsync("fine");
        await Expect(page.GetByLabel("Category of the new texts")).ToHaveValueAsync("fine");
        site.NobodyComplained();
    }

    [Fact]
    public async Task What_is_clicked_twice_happens_once_and_addresses_say_what_is_shown()
    {
        var made = await (await site.Client.PostAsync("/api/v1/models",
            new { name = "Clicked twice", kind = "textClassification", categories = new[] { "good", "bad" } }))
            .JsonAsync(System.Net.HttpStatusCode.Created);
        var path = $"/models/{made["id"]}";
        var texts = TextFiles.Opinions(40).Select(row => new { text = row.Text, category = row.Label == "pos" ? "good" : "bad" });
        await (await site.Client.PostAsync($"/api/v1{path}/texts", new { texts })).JsonAsync();
        var page = await site.SignInAsync(path + "/images");
        await Expect(page).ToHaveURLAsync(new Regex("/texts$"));

        var first = page.Locator(".texts li").First.GetByLabel("Category");
        foreach (var category in (string[])["good", "bad", "good", "bad"])
        {
            await first.SelectOptionAsync(category);
        }

        while ((string?)(await site.Client.GetJsonAsync($"/api/v1{path}/texts?limit=1"))["items"]![0]!["category"] != "bad")
        {
            await Task.Delay(50, Api.Cancel);
        }

        await page.Locator(".texts li").Nth(1).GetByRole(AriaRole.Button, new() { Name = "Delete text" }).DblClickAsync();
        await Expect(page.GetByText("Text deleted")).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Button, new() { Name = "Train", Exact = true }).DblClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "See the result" }).ClickAsync();
        await Expect(page.GetByLabel("Version", new() { Exact = true })).ToHaveValueAsync("1");
        Assert.Single((await site.Client.GetJsonAsync($"/api/v1{path}/training-runs"))["items"]!.AsArray());

        Assert.Equal("succeeded", (string?)(await site.Client.TrainAsync($"/api/v1{path}", Api.Automatic))["state"]);
        await page.GotoAsync($"{path}/result/2");
        var version = page.GetByLabel("Version", new() { Exact = true });
        await version.SelectOptionAsync("1");
        await Expect(page).ToHaveURLAsync(new Regex("/result/1$"));
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Publish version 1" })).ToBeVisibleAsync();
        await page.GoBackAsync();
        await Expect(version).ToHaveValueAsync("2");
        await page.GoForwardAsync();
        await Expect(version).ToHaveValueAsync("1");
        await page.GotoAsync($"{path}/result/9");
        await Expect(page.GetByText("This model has no version 9")).ToBeVisibleAsync();
        site.NobodyComplained();
    }

    private IEnumerable<(string Path, string Shows)> Pages() =>
    [
        ("/", "accuracy on unseen"), ("/new", "What do you want to classify?"), ($"{trained.Empty}/images", "drop one folder per category"),
            ($"{trained.Empty}/training", "Not trained yet"),
        ($"{trained.Empty}/result", "No result yet"), ($"{trained.Empty}/try", "Nothing to try yet"),
            ($"{trained.Path}/images", "Click to select"), ($"{trained.Path}/training", "Backbones tried"),
        ($"{trained.Path}/result", "Hardest images"), ($"{trained.Path}/try", "is ready"), ("/keys", "Prefix"),
            ($"/models/{Guid.Empty}/images", "Could not load"),
        ($"{trained.Boxes}/images", "Enter to draw boxes"), ($"{trained.Boxes}/label", "to go"),
        ($"{trained.Boxes}/label/{trained.Labelled}", "cat.jpg: 1 box"),
        ($"{trained.Texts}/texts", "8 texts"), ($"{trained.Texts}/result", "Hardest texts"), ($"{trained.Texts}/try", "is ready"),
    ];

    private static async Task CheckAsync(IPage page, int width)
    {
        var found = await page.RunAxe(new() { ResultTypes = [ResultType.Violations] });
        var serious = found.Violations.Where(v => Serious.Contains(v.Impact))
            .Select(v => $"{v.Id}, {v.Help}: " + string.Join(
                " | ", v.Nodes.Take(3).Select(n => $"{n.Html} {string.Join(", ", n.Any.Select(a => a.Message))}")));
        Assert.True(!serious.Any(), $"{page.Url} {string.Join('\n', serious)}");
        Assert.True(await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth") <= width,
            $"{page.Url} is wider than {width} pixels.");
    }

    /// <summary>A trained model of cats and dogs, an empty one, a trained text model and a model with boxes.</summary>
    public sealed class Trained(Site site) : IAsyncLifetime
    {
        public string Path { get; private set; } = "";

        public string Empty { get; private set; } = "";

        /// <summary>A model that tells good reviews from bad ones.</summary>
        public string Texts { get; private set; } = "";

        /// <summary>A model of a labelled and an unlabelled image.</summary>
        public string Boxes { get; private set; } = "";

        /// <summary>The id of its labelled image.</summary>
        public string Labelled { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            if (!site.HasBrowser)
            {
                return;
            }

            var model = await site.Client.PetsAsync(10);
            Assert.Equal("succeeded", (string?)(await site.Client.TrainAsync(model))["state"]);
            (Path, Empty, Texts) = (Page(model), Page(await site.Client.NewModelAsync()), Page(await ReviewsAsync()));
            await BoxesAsync();
        }

        private async Task BoxesAsync()
        {
            var model = await site.Client.NewDetectorAsync("cat", "dog");
            var boxes = new[] { new { category = "cat", x = 0.1, y = 0.2, width = 0.5, height = 0.6 } };
            var images = new object[]
            {
                new { base64 = Convert.ToBase64String(Pets.Cat), fileName = "cat.jpg", boxes },
                new { base64 = Convert.ToBase64String(File.ReadAllBytes(Pets.Dogs[0])), fileName = "dog.jpg" },
            };
            var sent = await (await site.Client.PostAsync($"{model}/images/list", new { images })).JsonAsync();
            (Boxes, Labelled) = (Page(model), (string)sent["accepted"]![0]!["id"]!);
        }

        private async Task<string> ReviewsAsync()
        {
            var model = await (await site.Client.PostAsync("/api/v1/models",
                new { name = $"Reviews {Guid.CreateVersion7()}", kind = "textClassification", categories = (string[])["good", "bad"] }))
                .JsonAsync(System.Net.HttpStatusCode.Created);
            var path = $"/api/v1/models/{model["id"]}";
            string[] good = ["a wonderful film", "funny and wonderful to the end", "I loved this film", "a funny story, well told"];
            string[] bad = ["a terrible film", "boring and terrible to the end", "I hated this film", "a boring story, badly told"];
            var texts = good.Select(text => new { text, category = "good", split = "train" })
                .Concat(bad.Select(text => new { text, category = "bad", split = "train" }));
            await (await site.Client.PostAsync($"{path}/texts", new { texts })).JsonAsync();
            Assert.Equal("succeeded", (string?)(await site.Client.TrainAsync(path, new { backbone = "tfidf" }))["state"]);
            return path;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static string Page(string model) => model.Replace("/api/v1", "", StringComparison.Ordinal);
    }
}
