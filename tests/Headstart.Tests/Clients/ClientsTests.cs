using System.Text;
using Headstart.Hosting;
using Headstart.Learning.Tests.Backbones;
using Headstart.Tests.ApiDocument;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;
using Headstart.Tests.Processes;
using Headstart.Tests.Uploads;
using Headstart.Tests.Uploads.Formats;

namespace Headstart.Tests.Clients;

/// <summary>All four clients do the same; each is run as its users run it, against a real host that has the built-in backbone.</summary>
[Collection<ClientsHost>]
public sealed class ClientsTests(DocumentedHost host)
{
    private const string Awkward = "Kätzchen 🐱, \"klein\"; (süß)";

    public static TheoryData<string> Clients => ["bash", "python", "node", "csharp"];

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_folder_is_trained_watched_trained_again_and_predicted(string client)
    {
        using var folder = new TemporaryFolder();
        var pets = Photographs(folder, $"Pets of {client}");

        var trained = (await RunAsync(client, "train", pets)).With(0);

        Assert.StartsWith($"Model Pets of {client} ", trained.Lines[0]);
        Assert.Equal([$"{Awkward}: 8 of 8 sent", "dogs: 20 of 23 sent", "dogs: 23 of 23 sent"], trained.Lines[1..4]);
        Assert.Matches(@"^Version 1: accuracy \d+\.\d% \(\d+\.\d% to \d+\.\d%\), with headstart-small", trained.Lines[^2]);
        Assert.Contains("correct on", trained.Lines[^1]);
        Assert.Equal("dogs/broken.jpg: ", trained.Errors[..17]);
        Assert.EndsWith(".", trained.Errors.TrimEnd());
        var id = trained.Lines[0][^36..];

        var watched = (await RunAsync(client, "watch", id)).With(0);
        Assert.Equal(trained.Lines[^2..], watched.Lines[^2..]);

        // Sent again nothing is added; a name finds the model it made. A file that cannot be opened is named.
        File.CreateSymbolicLink(Path.Combine(pets, "dogs", "gone.jpg"), "nowhere");
        var again = (await RunAsync(client, "train", pets + "/", "--name", $"Pets of {client}")).With(1);
        Assert.Contains("dogs/gone.jpg: Cannot be opened", again.Errors);
        Assert.Contains("dogs: 23 of 23 sent", again.Lines);
        Assert.Equal(trained.Lines[0], again.Lines[0]);
        Assert.StartsWith("Version 2: ", again.Lines[^2]);
        Assert.Equal(30, (await host.Client.GetJsonAsync($"/api/v1/models/{id}"))["categories"]!.AsArray()
            .Sum(c => (int)c!["imageCount"]!));

        var predicted = (await RunAsync(client, "predict", $"Pets of {client}", Path.Combine(pets, Awkward), Path.Combine(pets, "dogs")))
            .With(1);
        Assert.Equal(30, predicted.Lines.Length);
        Assert.All(predicted.Lines, line => Assert.Matches(@"^[^\t]+\t[^\t]+\t[01]\.\d{4}\t(un)?known$", line));
        Assert.StartsWith($"{Path.Combine(pets, Awkward, "0")} {Awkward}.jpg\t", predicted.Lines[0]);
        Assert.InRange(predicted.Lines.Count(line => line.Split('\t')[1] == Path.GetFileName(Path.GetDirectoryName(line.Split('\t')[0]))),
            27, 30);
        Assert.Contains($"{Path.Combine(pets, "dogs", "broken.jpg")}: ", predicted.Errors);
        Assert.Contains($"{Path.Combine(pets, "dogs", "gone.jpg")}: Cannot be opened", predicted.Errors);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task What_goes_wrong_is_a_sentence_and_an_exit_code(string client)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.Below("one"));
        var empty = await host.Client.NewModelAsync("a", "b");

        Assert.Equal("Your account has no model \"nobody's\".", (await RunAsync(client, "watch", "nobody's")).With(1).Errors.Trim());
        Assert.Equal("The model has no training run yet.", (await RunAsync(client, "watch", empty[^36..])).With(1).Errors.Trim());
        Assert.Contains("no published version", (await RunAsync(client, "predict", empty[^36..], Pets.Cats[0])).With(1).Errors);
        Assert.Contains("missing.jpg does not exist",
            (await RunAsync(client, "predict", empty[^36..], folder.Below("missing.jpg"))).With(1).Errors);
        Assert.Contains("has 1 folders", (await RunAsync(client, "train", folder.Path)).With(1).Errors);
        Assert.Contains("missing does not exist", (await RunAsync(client, "train", folder.Below("missing"))).With(1).Errors);
        Assert.Contains("API key is unknown", (await Terminal.RunAsync(client, host.Address, "wrong", "watch", "x")).With(1).Errors);
        Assert.Contains("Cannot reach", (await Terminal.RunAsync(client, new Uri("http://127.0.0.1:9"), "x", "watch", "x")).With(1).Errors);
        Assert.Contains("localhost:9 is not a URL", (await RunAsync(client, "--url", "localhost:9", "watch", "x")).With(1).Errors);
        Assert.Contains("HEADSTART_KEY", (await Terminal.RunAsync(client, host.Address, null, "watch", "x")).With(2).Errors);
        Assert.Contains("predict", (await RunAsync(client, "dance")).With(2).Errors);
    }

    /// <summary>Of the formats one each; the host knows them, so to the clients they are files. Too few to be trained, as the host
    /// says. Links to files and folders are followed.</summary>
    [Theory]
    [InlineData("bash", "coco.json", """{"images":[{"id":1,"file_name":"ä b.png"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[4,8,4,4]}],"categories":[{"id":1,"name":"cat"}]}""")]
    [InlineData("python", "annotations/ä b.xml", "<annotation><filename>ä b.png</filename><object><name>cat</name><bndbox><xmin>4</xmin>"
        + "<ymin>8</ymin><xmax>8</xmax><ymax>12</ymax></bndbox></object></annotation>")]
    [InlineData("node", "labels/ä b.txt", "0 0.375 0.625 0.25 0.25\n")]
    [InlineData("csharp", "coco.json", """{"images":[{"id":1,"file_name":"ä b.png"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[4,8,4,4]}],"categories":[{"id":1,"name":"cat"}]}""")]
    public async Task A_folder_with_boxes_beside_its_photographs_is_sent_as_it_is(string client, string annotation, string text)
    {
        Needs.Programs(client == "bash" ? ["zip"] : []);
        using var folder = new TemporaryFolder();
        var set = folder.Below("set");
        Directory.CreateDirectory(folder.Below("pictures"));
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(set, annotation))!);
        Directory.CreateSymbolicLink(Path.Combine(set, "images"), folder.Below("pictures"));
        File.WriteAllBytes(folder.Below("later.png"), Pictures.Tiny(2));
        File.CreateSymbolicLink(Path.Combine(set, "images/later.png"), folder.Below("later.png"));
        File.WriteAllBytes(Path.Combine(set, "images/ä b.png"), Pictures.Tiny(1));
        File.WriteAllText(Path.Combine(set, "images/broken.png"), "no image");
        File.WriteAllText(Path.Combine(set, "classes.txt"), "cat\n");
        File.WriteAllText(Path.Combine(set, "images/.hidden"), "x");
        File.WriteAllText(Path.Combine(set, annotation), text);

        var ended = (await RunAsync(client, "train", set, "--kind", "detection", "--name", $"Boxes of {client}")).With(1);

        Assert.StartsWith($"Model Boxes of {client} ", ended.Lines[0]);
        Assert.Equal("2 of 3 files taken", ended.Lines[1]);
        Assert.Contains("images/broken.png: ", ended.Errors);
        Assert.Contains("1 image has no boxes: ", ended.Errors);
        Assert.Equal(["images/later.png: ?", "images/ä b.png: cat 0.25 0.5 0.25 0.25"],
            await host.Client.RowsAsync($"/api/v1/models/{ended.Lines[0][^36..]}"));
        Assert.Contains("detection", (await RunAsync(client, "train", set, "--kind", "guess")).With(2).Errors);
    }

    /// <summary>The folder is made by a shell, because .NET has no way to write names that are not UTF-8.</summary>
    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Names_that_are_no_utf_8_or_have_line_breaks_quotes_and_dashes_are_sent_and_printed(string client)
    {
        using var folder = new TemporaryFolder();
        await using var shell = new Shell(folder.Path);
        var odd = $"Cre\u0300me of {client}"; // as macOS writes it
        var pets = folder.Below(odd);
        Directory.CreateDirectory(Path.Combine(pets, "dogs"));
        Directory.CreateDirectory(Path.Combine(pets, "-cats"));
        foreach (var (number, picture) in Pets.Dogs.Take(6).Index())
        {
            File.Copy(picture, Path.Combine(pets, "dogs", $"{number}.jpg"));
        }

        string[] names = ["caf\\351.jpg", "line\\nbreak.jpg", "tab\\tand \\042quotes\\042.jpg", "-dash.jpg", "--two.jpg",
            "e\\314\\201.jpg"];
        foreach (var (name, picture) in names.Zip(Pets.Cats))
        {
            await Shell.RunAsync("cp -- \"$2\" \"$1/$(printf -- \"$3\")\"", Path.Combine(pets, "-cats"), picture, name);
        }

        var trained = (await RunAsync(client, "train", pets)).With(client == "csharp" ? 1 : 0);
        var sent = client == "csharp" ? 5 : 6; // .NET cannot open a name that is no UTF-8; it says so
        Assert.Equal([$"-cats: {sent} of {sent} sent", "dogs: 6 of 6 sent"], trained.Lines[1..3]);
        Assert.Equal(client == "csharp", trained.Errors.Contains("The name is not valid UTF-8", StringComparison.Ordinal));
        var model = (await host.Client.GetJsonAsync($"/api/v1/models?named={Uri.EscapeDataString($"Cr\u00e8me of {client}")}"))["items"]!
            .AsArray().Single()!;
        Assert.Equal(sent, (int)model["categories"]!.AsArray().Single(c => (string?)c!["name"] == "-cats")!["imageCount"]!);

        // Found again by the name that macOS writes; each file is one line, whatever is in its name.
        var predicted = await RunAsync(client, "predict", odd, Path.Combine(pets, "-cats"));
        Assert.Equal(client == "csharp" ? 1 : 0, predicted.ExitCode);
        Assert.Equal(sent, predicted.Lines.Length);
        Assert.Contains(predicted.Lines, line => line.Contains("line\\nbreak.jpg\t", StringComparison.Ordinal));
        Assert.Contains(predicted.Lines, line => line.Contains("tab\\tand \"quotes\".jpg\t", StringComparison.Ordinal));
        Assert.All(predicted.Lines, line => Assert.Equal(4, line.Split('\t').Length));

        // A file that is named on the command line, in its own folder.
        var named = await Terminal.PredictInAsync(client, Path.Combine(pets, "-cats"), "-*.jpg caf*.jpg", host.Address, TestHost.Key, odd);
        Assert.Equal(client == "csharp" ? 1 : 0, named.ExitCode);
        Assert.Equal(client == "csharp" ? 2 : 3, named.Lines.Length);
    }

    [Theory]
    [InlineData("bash", "/headstart/")]
    [InlineData("python", "/headstart")]
    [InlineData("node", "/headstart/")]
    [InlineData("csharp", "/headstart")]
    public async Task A_host_below_a_path_is_asked_there(string client, string path)
    {
        using var server = new LoopbackServer(request => AnswerAsync(request, """{"items":[],"next":null}"""));

        (await Terminal.RunAsync(client, new Uri(server.Address, path), "x", "watch", "Pets")).With(1);

        Assert.Equal("/headstart/api/v1/models?named=Pets", Assert.Single(server.Requests).Path);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_busy_host_is_asked_again(string client)
    {
        using var server = new LoopbackServer(request => request.Number < 2
            ? request.HeadAsync("503 Service Unavailable", $"Retry-After: {(request.Number == 0 ? "Wed, 21 Oct 2015 07:28:00 GMT" : "0")}",
                "Content-Length: 0")
            : AnswerAsync(request, """{"items":[],"next":null}"""));

        var ended = await Terminal.RunAsync(client, server.Address, "x", "--url", server.Address.GetLeftPart(UriPartial.Authority), "watch",
            "Pets");

        Assert.Equal("Your account has no model \"Pets\".", ended.With(1).Errors.Trim());
        Assert.Equal(3, server.Requests.Count);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_request_is_repeated_when_the_connection_is_lost_and_the_notices_of_a_run_are_printed(string client)
    {
        const string Id = "01a20f40-419a-7f56-854f-2b08d6f2df36";
        using var server = new LoopbackServer(request => request.Number switch
        {
            0 => AnswerAsync(request, $$"""{"items":[{"id":"{{Id}}","name":"Pets"}],"next":null}"""),
            1 => Task.CompletedTask,
            _ => AnswerAsync(request, $$"""{"items":[{"id":"{{Id}}","modelId":"{{Id}}","state":"failed","stage":null,"progress":1,"""
                + """ "secondsLeft":null,"version":null,"error":"It \u0022failed\u0022.","backbones":[],"detail":null,"""
                + """ "notices":["One, with a \u0022comma\u0022.","Of a \uD83D\uDC31."]}],"next":null}"""),
        });

        var ended = await Terminal.RunAsync(client, new Uri(server.Address, "/"), "x", "watch", "Pets");

        Assert.Equal("One, with a \"comma\".\nOf a 🐱.\nIt \"failed\".\n", ended.With(1).Errors);
        Assert.Equal(3, server.Requests.Count);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task An_answer_that_is_no_JSON_is_a_sentence(string client)
    {
        using var server = new LoopbackServer(request => AnswerAsync(request, "<html></html>"));

        var ended = await Terminal.RunAsync(client, new Uri(server.Address, "/"), "x", "watch", "Pets");

        Assert.EndsWith("answered with something other than the Headstart API; check the URL.", ended.With(1).Errors.TrimEnd());
    }

    private static async Task AnswerAsync(LoopbackServer.Request request, string json)
    {
        await request.HeadAsync("200 OK", "Content-Type: application/json", $"Content-Length: {json.Length}");
        await request.BodyAsync(Encoding.ASCII.GetBytes(json));
    }

    /// <summary>A folder a category, with names that a careless program stumbles over, more than one request's files, one that is no
    /// picture, a link to a folder and one to a file.</summary>
    private static string Photographs(TemporaryFolder folder, string name)
    {
        var pets = folder.Below(name);
        Directory.CreateDirectory(folder.Below("cats"));
        Directory.CreateDirectory(pets);
        Directory.CreateSymbolicLink(Path.Combine(pets, Awkward), folder.Below("cats"));
        foreach (var (category, set, count) in new[] { (Awkward, "cats", 8), ("dogs", "dogs", 22) })
        {
            Directory.CreateDirectory(Path.Combine(pets, category));
            foreach (var (i, file) in Pets.Of(set).Take(count).Index())
            {
                File.Copy(file, Path.Combine(pets, category, $"{i} {category}.jpg"));
            }
        }

        File.Move(Path.Combine(pets, "dogs", "0 dogs.jpg"), folder.Below("first.jpg"));
        File.CreateSymbolicLink(Path.Combine(pets, "dogs", "0 dogs.jpg"), folder.Below("first.jpg"));
        File.WriteAllText(Path.Combine(pets, "dogs", "broken.jpg"), "no picture");
        File.WriteAllText(Path.Combine(pets, "dogs", ".hidden"), "not sent");
        return pets;
    }

    /// <summary>Does what .NET cannot, and deletes what it cannot delete.</summary>
    private sealed class Shell(string folder) : IAsyncDisposable
    {
        public static async Task RunAsync(string script, params string[] arguments) =>
            (await UserProgram.EndAsync(new("bash", ["-c", script, "bash", .. arguments]))).With(0);

        public async ValueTask DisposeAsync() => await RunAsync("rm -rf -- \"$1\"/*", folder);
    }

    private Task<Ended> RunAsync(string client, params string[] arguments) =>
        Terminal.RunAsync(client, host.Address, TestHost.Key, arguments);
}
