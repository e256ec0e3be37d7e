using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using Headstart.Tests;
using Headstart.Tests.Postgres;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Headstart.Browser.Tests;

/// <summary>Uploads of many files, and of files while the host is killed.</summary>
public sealed partial class UploadTests(Site site) : IDisposable
{
    private const float Long = 240_000;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_folder_with_1200_images_comes_in_with_progress_and_is_shown_a_screen_at_a_time()
    {
        Needs.Time();
        var (id, page) = await NewAsync();
        await page.GetByLabel("Choose a folder of categories").SetInputFilesAsync(Photographs.Draw(_folder, 1_200, seed: 1));
        await Expect(page.Locator("#plan p")).ToContainTextAsync("2 categories, 1,200 images, about 20 % for testing.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload", Exact = true }).ClickAsync();

        await Expect(page.Locator("#uploads .count")).ToHaveTextAsync(Going());
        await Expect(page.Locator("#uploads .count")).ToHaveTextAsync("1200 of 1200 files uploaded", new() { Timeout = Long });
        await Expect(page.Locator("[data-category=noise] .head span")).ToHaveTextAsync("600 images");
        await Expect(page.Locator("[data-category=static] .head span")).ToHaveTextAsync("600 images");
        Assert.Equal("600, 600", await CountsAsync(id));
        await Expect(page.GetByText("1,200 images.")).ToBeVisibleAsync();
        Assert.InRange(await page.Locator(".tile").CountAsync(), 10, 200);

        var first = await page.Locator(".tile").First.GetAttributeAsync("id");
        await page.EvaluateAsync("() => scrollTo(0, document.body.scrollHeight)");
        await Expect(page.Locator($"#{first}")).ToHaveCountAsync(0);
        Assert.InRange(await page.Locator(".tile").CountAsync(), 10, 200);
        site.NobodyComplained();
    }

    [Fact]
    public async Task An_upload_outlives_a_host_that_is_killed_and_started_again()
    {
        Needs.Time();
        const int Files = 400;
        var (id, page) = await NewAsync();
        await page.GetByLabel("Choose a folder of categories").SetInputFilesAsync(Photographs.Draw(_folder, Files, seed: 2));
        await page.GetByRole(AriaRole.Button, new() { Name = "Upload", Exact = true }).ClickAsync();
        await Expect(page.Locator("#uploads .count")).ToHaveTextAsync(Going());

        await site.Program.KillAsync();
        await Expect(page.Locator("#uploads .trouble")).ToContainTextAsync("No connection");
        await Expect(page.Locator("#components-reconnect-modal")).ToBeVisibleAsync();
        await site.Program.StartAsync();

        // The page reconnects by itself, still signed in, once the last file is uploaded.
        await Expect(page.Locator("#components-reconnect-modal")).ToBeHiddenAsync(new() { Timeout = Long });
        await Expect(page.Locator("[data-category=noise] .head span")).ToHaveTextAsync("200 images", new() { Timeout = Long });
        await Expect(page.Locator("[data-category=static] .head span")).ToHaveTextAsync("200 images");
        Assert.Equal("200, 200", await CountsAsync(id));
        site.Complaints.Clear(); // lost connections are expected here
    }

    [Fact]
    public async Task A_folder_or_an_archive_is_sent_only_after_the_page_has_said_what_would_come_of_it()
    {
        var (id, page) = await NewAsync();
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, "pets"));
        foreach (var (name, bytes) in new[] { ("Training/cats/1.jpg", Pets.Cat), ("Testing/cats/2.jpg", File.ReadAllBytes(Pets.Cats[1])),
            ("Training/dogs/3.jpg", File.ReadAllBytes(Pets.Dogs[1])), ("Training/cats/Thumbs.db", [1]), ("Training/cats/notes.txt", [1]) })
        {
            var file = Path.Combine(folder.FullName, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllBytesAsync(file, bytes, Api.Cancel);
        }

        var (plan, send) = (page.Locator("#plan"), page.GetByRole(AriaRole.Button, new() { Name = "Upload", Exact = true }));
        await page.GetByLabel("Choose a folder of categories").SetInputFilesAsync(folder.FullName);
        await Expect(plan.Locator("p")).ToContainTextAsync("2 categories, 3 images, 33 % for testing; 1 file will be left out");
        await Expect(plan.Locator("ul")).ToContainTextAsync("Thumbs.db (1)");
        await plan.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(plan).ToBeHiddenAsync();
        Assert.Equal("", await CountsAsync(id));

        await page.GetByLabel("Choose a folder of categories").SetInputFilesAsync(folder.FullName);
        await send.ClickAsync();
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("2 images");
        await Expect(page.Locator("[data-category=dogs] .head span")).ToHaveTextAsync("1 image");
        var images = (await site.Client.GetJsonAsync($"/api/v1/models/{id}/images"))["items"]!.AsArray();
        Assert.Equal(["test", "train", "train"], images.Select(i => (string)i!["split"]!).Order());

        await page.GetByLabel("Choose a ZIP archive").SetInputFilesAsync(new FilePayload
        {
            Name = "sides.zip",
            MimeType = "application/zip",
            Buffer = Zip("train/a.jpg", "test/b.jpg"),
        });
        await Expect(plan.Locator("p")).ToContainTextAsync("are splits of a data set, not categories");
        await Expect(send).ToBeHiddenAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(plan).ToBeHiddenAsync();
        site.Complaints.Clear(); // the refusal is in the console
    }

    [Fact]
    public async Task Files_that_are_no_images_are_named_with_the_reason()
    {
        var (_, page) = await NewAsync("letters");
        await page.GetByLabel("Choose files for letters").SetInputFilesAsync((FilePayload[])[
            new() { Name = "<b>letter</b>.txt", MimeType = "image/png", Buffer = "Dear all"u8.ToArray() },
            new() { Name = "real.jpg", MimeType = "image/jpeg", Buffer = Pets.Cat },
        ]);

        await Expect(page.Locator("#uploads summary")).ToHaveTextAsync("1 file rejected");
        await page.Locator("#uploads summary").ClickAsync();
        await Expect(page.Locator("#uploads li")).ToContainTextAsync("<b>letter</b>.txt");
        await Expect(page.Locator("[data-category=letters] .head span")).ToHaveTextAsync("1 image");
        site.NobodyComplained();
    }

    [Fact]
    public async Task Files_chosen_after_uploads_were_cancelled_are_sent_at_once()
    {
        var (_, page) = await NewAsync("cats");
        using var held = new SemaphoreSlim(0);
        await page.RouteAsync("**/images", _ =>
        {
            held.Release(); // and never answered
            return Task.CompletedTask;
        });
        var cat = new FilePayload { Name = "cat.jpg", MimeType = "image/jpeg", Buffer = Pets.Cat };
        for (var uploads = 0; uploads < 2; uploads++) // as many as are sent at once
        {
            await page.GetByLabel("Choose files for cats").SetInputFilesAsync(cat);
            await held.WaitAsync(Api.Cancel);
        }

        await page.Locator("#uploads").GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(page.Locator("#uploads")).ToBeHiddenAsync();
        await page.UnrouteAllAsync();
        await page.GetByLabel("Choose files for cats").SetInputFilesAsync(cat);
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("1 image");
        site.NobodyComplained();
    }

    [Fact]
    public async Task A_file_that_vanished_is_named_and_does_not_hold_up_the_others()
    {
        var (_, page) = await NewAsync("cats");
        string[] files = [Path.Combine(_folder.Path, "gone.jpg"), Path.Combine(_folder.Path, "there.jpg")];
        foreach (var file in files)
        {
            await File.WriteAllBytesAsync(file, Pets.Cat, Api.Cancel);
        }

        await page.RouteAsync("**/images", route =>
        {
            File.Delete(files[0]);
            return route.AbortAsync();
        });
        await page.GetByLabel("Choose files for cats").SetInputFilesAsync(files);
        await Expect(page.Locator("#uploads li")).ToContainTextAsync("gone.jpg: The file cannot be read.");
        await Expect(page.Locator("#uploads .trouble")).ToContainTextAsync("No connection");
        await page.UnrouteAllAsync(new() { Behavior = UnrouteBehavior.IgnoreErrors });
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("1 image");
        site.NobodyComplained();
    }

    [Fact]
    public async Task Images_come_from_addresses_and_from_a_search_whose_finds_are_looked_at_first()
    {
        var (cats, dogs) = (Pets.Cats, Pets.Dogs);
        var (id, page) = await NewAsync("cats", "dogs");
        await page.GetByRole(AriaRole.Button, new() { Name = "Paste URLs for cats" }).ClickAsync();
        await page.GetByLabel("URLs, one per line")
            .FillAsync($"{site.Catalogues.Web.Lay("/cat.jpg", File.ReadAllBytes(cats[0]))}\n{site.Catalogues.Web.Address}/nothing.jpg");
        await page.GetByRole(AriaRole.Button, new() { Name = "Fetch" }).ClickAsync();
        await Expect(page.GetByText("1 image fetched; 1 failed")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("1 image");

        site.Catalogues.Openverse("cats", cats[5..9].Select(File.ReadAllBytes));
        site.Catalogues.Wikimedia("dogs", dogs[5..9].Select(File.ReadAllBytes));
        await page.GetByRole(AriaRole.Button, new() { Name = "search the web" }).ClickAsync();
        await page.GetByLabel("Train when the import finishes").UncheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Search", Exact = true }).ClickAsync();
        await Expect(page.Locator(".review .tile")).ToHaveCountAsync(8, new() { Timeout = Long });
        await page.Locator(".review .tile").First.ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Add 7 images" }).ClickAsync();
        await Expect(page.Locator("[data-category=cats] .head span")).ToHaveTextAsync("4 images", new() { Timeout = Long });
        await Expect(page.Locator("[data-category=dogs] .head span")).ToHaveTextAsync("4 images");
        Assert.Equal("4, 4", await CountsAsync(id));
        site.NobodyComplained();
    }

    private async Task<(string Id, IPage Page)> NewAsync(params string[] categories)
    {
        var model = await (await site.Client.PostAsync("/api/v1/models", new { name = $"Upload {Guid.CreateVersion7()}", categories }))
            .JsonAsync(HttpStatusCode.Created);
        var page = await site.SignInAsync($"/models/{model["id"]}/images");
        await Expect(page.GetByLabel("Choose a folder of categories")).ToBeAttachedAsync();
        return ((string)model["id"]!, page);
    }

    private async Task<string> CountsAsync(string id) =>
        string.Join(", ", (await site.Client.GetJsonAsync($"/api/v1/models/{id}"))["categories"]!.AsArray()
            .Select(c => (int)c!["imageCount"]!));

    private static byte[] Zip(params string[] names)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var name in names)
            {
                using var file = zip.CreateEntry(name).Open();
                file.Write(Pets.Cat);
            }
        }

        return bytes.ToArray();
    }

    [GeneratedRegex(@"^Uploading: [1-9]\d* of \d+ files$")]
    private static partial Regex Going();
}
