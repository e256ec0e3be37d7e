using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;
using static Headstart.Learning.Tests.Backbones.DownloadScene;

namespace Headstart.Learning.Tests.Backbones;

public sealed class BackboneDownloadTests
{
    [Fact]
    public async Task A_file_is_fetched_once_and_verified()
    {
        using var folder = new TestFolder();
        using var server = new LoopbackServer(request => request.FileAsync(Content));
        var progress = new Recorder();

        var file = await new BackboneDownload(Impatient)
            .FetchAsync(Entry(server.Address), folder.File("new"), progress: progress, cancel: Cancel);
        await new BackboneDownload(Impatient).FetchAsync(Entry(server.Address), folder.File("new"), cancel: Cancel);

        Assert.Equal(Path.Combine(folder.File("new"), "tiny.onnx"), file.Path);
        Assert.Equal(Content, await File.ReadAllBytesAsync(file.Path, Cancel));
        Assert.Single(server.Requests);
        Assert.Equal(progress.Values.Order(), progress.Values);
        Assert.Equal((Content.Length, Content.Length), progress.Values.Last());
        Assert.Empty(Directory.GetFiles(folder.File("new"), "*.part"));
    }

    [Fact]
    public async Task A_sentence_network_comes_with_its_vocabulary_and_nothing_else_is_taken_for_it()
    {
        using var folder = new TestFolder();
        using var server = new LoopbackServer(request => request.FileAsync(Content));
        var published = new PublishedFile(server.Address, Content.Length, Sha256);
        var entry = new TextCatalogueEntry("tiny", published, published, "here", "MIT", "none")
        {
            Tokenizer = Tokenizer.SentencePiece,
            Reading = new() { Prefix = "query: " },
        };

        var place = await new BackboneDownload(Impatient).FetchAsync(entry, folder.Path, cancel: Cancel);

        Assert.Equal(Path.Combine(folder.Path, "text", "tiny"), place);
        Assert.All(["model.onnx", "sentencepiece.bpe.model"], name => Assert.Equal(Content, File.ReadAllBytes(Path.Combine(place, name))));
        Assert.Equal(2, server.Requests.Count);
        Assert.Equal(entry.Reading, SentenceReading.Read(Path.Combine(place, "model.json")));
        Assert.Equal(entry.Sha256, Assert.Single(RegisteredText.Find([folder.Path]).Found).Sha256);
        var other = entry with { Id = "other", Network = published with { Sha256 = new string('0', 64) } };
        await Assert.ThrowsAsync<BackboneException>(() => new BackboneDownload(Impatient).FetchAsync(other, folder.Path, cancel: Cancel));
        Assert.False(File.Exists(folder.File("text/other/model.onnx")));
    }

    [Fact]
    public async Task A_broken_download_is_continued_where_it_broke()
    {
        using var folder = new TestFolder();
        using var server = new LoopbackServer(async request =>
        {
            if (request.Number == 0)
            {
                await request.HeadAsync("200 OK", $"Content-Length: {Content.Length}");
                await request.BodyAsync(Content.AsMemory(0, 100_000));
            }
            else
            {
                await request.FileAsync(Content);
            }
        });

        await ArrivesAsync(server, folder);

        Assert.Equal([null, 100_000L], server.Requests.Select(request => request.From));
    }

    [Fact]
    public async Task A_part_of_an_earlier_process_is_continued()
    {
        using var folder = new TestFolder();
        await File.WriteAllBytesAsync(folder.File($"{Sha256}.part"), Content[..1234], Cancel);
        using var server = new LoopbackServer(request => request.FileAsync(Content));

        await ArrivesAsync(server, folder);

        Assert.Equal(1234, Assert.Single(server.Requests).From);
    }

    [Theory]
    [InlineData("complete")]
    [InlineData("too long")]
    [InlineData("of another file")]
    [InlineData("complete but of another file")]
    public async Task A_part_in_any_state_ends_well(string state)
    {
        using var folder = new TestFolder();
        var part = state switch
        {
            "complete" => Content,
            "too long" => [.. Content, 1],
            "of another file" => new byte[500],
            _ => new byte[Content.Length],
        };
        await File.WriteAllBytesAsync(folder.File($"{Sha256}.part"), part, Cancel);
        using var server = new LoopbackServer(request => request.FileAsync(Content));

        await ArrivesAsync(server, folder);

        Assert.InRange(server.Requests.Count, state == "complete" ? 0 : 1, 2);
    }

    [Fact]
    public async Task A_server_without_ranges_starts_over_and_one_that_refuses_them_too()
    {
        using var folder = new TestFolder();
        await File.WriteAllBytesAsync(folder.File($"{Sha256}.part"), Content[..1234], Cancel);
        using (var without = new LoopbackServer(request => (request with { From = null }).FileAsync(Content)))
        {
            await ArrivesAsync(without, folder);
        }

        File.Delete(folder.File("tiny.onnx"));
        await File.WriteAllBytesAsync(folder.File($"{Sha256}.part"), Content[..1234], Cancel);
        using var refuses = new LoopbackServer(request =>
            request.From is null ? request.FileAsync(Content) : request.HeadAsync("416 Range Not Satisfiable", "Content-Length: 0"));
        await ArrivesAsync(refuses, folder);
        Assert.Equal(2, refuses.Requests.Count);
    }

    [Theory]
    [InlineData("503 Service Unavailable")]
    [InlineData("429 Too Many Requests")]
    public async Task An_overloaded_server_is_asked_again_and_not_for_ever(string status)
    {
        using var folder = new TestFolder();
        using var soon = new LoopbackServer(request =>
            request.Number < 3 ? request.HeadAsync(status, "Retry-After: 1", "Content-Length: 0") : request.FileAsync(Content));
        using var never = new LoopbackServer(request => request.HeadAsync(status, "Content-Length: 0"));

        await FailsAsync(never, folder, "overloaded or failing");
        await ArrivesAsync(soon, folder);

        Assert.Equal(4, never.Requests.Count);
    }

    [Fact]
    public async Task Each_failure_ends_in_a_clear_sentence_and_leaves_nothing_under_the_final_name()
    {
        var other = Content.ToArray();
        other[^1] ^= 1;
        var failures = new (string Because, Func<LoopbackServer.Request, Task> Answer)[]
        {
            ("no file at its URL (404)", request => request.HeadAsync("404 Not Found", "Content-Length: 0")),
            ("refuses the download (403)", request => request.HeadAsync("403 Forbidden", "Content-Length: 0")),
            ("redirects more than 5 times", request => request.HeadAsync("302 Found", "Location: /again", "Content-Length: 0")),
            ("redirects to a 'file' URL", request => request.HeadAsync("302 Found", "Location: file:///etc/passwd", "Content-Length: 0")),
            ("redirects without a target URL", request => request.HeadAsync("302 Found", "Content-Length: 0")),
            ("does not have the SHA-256", request => request.FileAsync(other)),
            ("announces 300001 bytes", request => request.FileAsync([.. Content, 1])),
            ("sends more than the 300000 bytes", async request =>
                {
                await request.HeadAsync("200 OK");
                await request.BodyAsync(new byte[400_000]);
                }),
            ("connection", _ => Task.CompletedTask),
        };
        foreach (var (because, answer) in failures)
        {
            using var folder = new TestFolder();
            using var server = new LoopbackServer(answer);
            await FailsAsync(server, folder, because);
        }
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_given_up()
    {
        using var folder = new TestFolder();
        using var server = new LoopbackServer(async request =>
        {
            await request.HeadAsync("200 OK", $"Content-Length: {Content.Length}");
            await Task.Delay(Timeout.Infinite, request.Stop);
        });

        await FailsAsync(server, folder, "sent nothing for 0.4 seconds", Impatient with { Stall = TimeSpan.FromMilliseconds(400) });
    }

    [Fact]
    public async Task Nobody_at_the_address_no_address_and_a_bad_mirror_are_sentences_too()
    {
        using var folder = new TestFolder();
        Uri gone;
        using (var server = new LoopbackServer(_ => Task.CompletedTask))
        {
            gone = server.Address;
        }

        var download = new BackboneDownload(Impatient);
        var nobody = await Assert.ThrowsAsync<BackboneException>(() => download.FetchAsync(Entry(gone), folder.Path, cancel: Cancel));
        var unknown = await Assert.ThrowsAsync<BackboneException>(() => download.FetchAsync(Entry(null), folder.Path, cancel: Cancel));

        foreach (var mirror in new[] { new Uri("ftp://mirror/"), new Uri("mirror", UriKind.Relative) })
        {
            var bad = await Assert.ThrowsAsync<BackboneException>(() =>
                download.FetchAsync(Entry(gone), folder.Path, mirror, cancel: Cancel));
            Assert.Contains("is not an http or https URL", bad.Message, StringComparison.Ordinal);
        }

        Assert.Contains("connection to 127.0.0.1 failed", nobody.Message, StringComparison.Ordinal);
        Assert.Contains("no URL", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_a_sentence()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full here.");
        using var folder = new TestFolder();
        File.CreateSymbolicLink(folder.File($"{Sha256}.part"), "/dev/full");
        using var server = new LoopbackServer(request => request.FileAsync(Content));

        await FailsAsync(server, folder, "cannot be written to");
    }

    [Fact]
    public async Task Redirects_and_mirrors_are_followed()
    {
        using var folder = new TestFolder();
        using var server = new LoopbackServer(request => request.Path switch
        {
            "/zoo/models/tiny.onnx" => request.HeadAsync("307 Temporary Redirect", "Location: /elsewhere", "Content-Length: 0"),
            _ => request.FileAsync(Content),
        });

        await new BackboneDownload(Impatient).FetchAsync(Entry(new Uri("https://far.example/models/tiny.onnx")), folder.Path,
            new Uri(server.Address, "/zoo/"), cancel: Cancel);

        Assert.Equal(["/zoo/models/tiny.onnx", "/elsewhere"], server.Requests.Select(request => request.Path));
    }
}
