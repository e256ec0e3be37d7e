using System.IO.Compression;
using System.Net;
using Headstart.Tests.Postgres;
using Headstart.Tests.Predictions;

namespace Headstart.Tests.BatchPredictions;

/// <summary>Archives that mean harm, or are just not what they should be.</summary>
public sealed class HostileArchivesTests(HostileArchivesTests.SmallHost host) : IClassFixture<HostileArchivesTests.SmallHost>
{
    private readonly HttpClient _client = host.Client;

    [Fact]
    public async Task What_is_no_archive_is_refused()
    {
        var zip = Batches.Zip(("cat.jpg", Pets.Cat));
        foreach (var bytes in new[] { "no archive"u8.ToArray(), [], Pets.Cat, zip[..(zip.Length / 2)], zip[..^10] })
        {
            await (await SendAsync(bytes)).ProblemAsync(HttpStatusCode.UnprocessableEntity, "not-a-zip");
        }
    }

    [Fact]
    public async Task A_file_that_unpacks_to_more_than_allowed_is_a_row_with_an_error()
    {
        var zip = Batches.Zip(CompressionLevel.Fastest, ("bomb.jpg", new byte[(20 << 20) + 1]), ("cat.jpg", Pets.Cat));
        Assert.True(zip.Length < 1 << 20);

        var lines = await _client.AnswerBatchAsync(host.Model, Batches.Archive(zip));

        Assert.Contains("larger than", (string?)lines[0]["error"]);
        Assert.Null(lines[1]["error"]);
    }

    [Fact]
    public async Task An_archive_that_unpacks_to_more_than_allowed_is_refused()
    {
        // Files that are too large, damaged, or archives themselves count as well: they were unpacked.
        var (zeros, larger) = (new byte[20 << 20], new byte[(20 << 20) + 1]);
        byte[] archive = [.. "PK\x03\x04"u8, .. zeros.AsSpan(4)];
        foreach (var (file, damaged) in new[] { (zeros, false), (larger, false), (zeros, true), (archive, false) })
        {
            var zip = Batches.Zip(CompressionLevel.Fastest, ("1.jpg", file), ("2.jpg", file));
            Assert.True(zip.Length < 1 << 20);
            await (await SendAsync(damaged ? Batches.Damaged(zip) : zip))
                .ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "archive-too-large");
        }
    }

    [Theory]
    [InlineData(301)]
    [InlineData(100_000)] // its directory is not even read to the end
    public async Task An_archive_with_too_many_files_is_refused(int count)
    {
        var zip = Batches.Zip(Enumerable.Range(0, count).Select(i => ($"{i}.jpg", Array.Empty<byte>())));
        await (await SendAsync(zip)).ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-many-files");
    }

    [Fact]
    public async Task An_archive_that_is_too_large_is_refused() =>
        await (await SendAsync(new byte[(20 << 20) + 1])).ProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-large");

    [Fact]
    public async Task Names_are_only_names()
    {
        string[] names = ["../../../escaped.jpg", "/escaped.jpg", "C:\\escaped.jpg", "..\\..\\escaped.jpg",
            "a\u0007\nb.jpg", new string('n', 40_000) + ".jpg"];

        var lines = await _client.AnswerBatchAsync(host.Model, Batches.Archive(Batches.Zip(names.Select(name => (name, Pets.Cat)))));

        Assert.Equal([.. names[..4], "ab.jpg", new string('n', 255)], lines.Select(l => (string?)l["fileName"]));
        Assert.All(lines, line => Assert.Null(line["error"]));
        Assert.Empty(Directory.GetFiles(host.DataFolder, "*escaped*", SearchOption.AllDirectories));
        Assert.False(File.Exists("/escaped.jpg"));
    }

    [Fact]
    public async Task Encrypted_files_and_links_are_rows_with_an_error()
    {
        var encrypted = Batches.Zip(("secret.jpg", Pets.Cat));
        Mark(encrypted, [0x50, 0x4B, 0x03, 0x04], 6);
        Mark(encrypted, [0x50, 0x4B, 0x01, 0x02], 8);
        Assert.Contains("encrypted", (string?)(await _client.AnswerBatchAsync(host.Model, Batches.Archive(encrypted)))[0]["error"]);

        using var linked = new MemoryStream();
        using (var zip = new ZipArchive(linked, ZipArchiveMode.Create, leaveOpen: true))
        {
            var entry = zip.CreateEntry("link.jpg");
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
            using var target = entry.Open();
            target.Write("/etc/passwd"u8);
        }

        Assert.Contains("link", (string?)(await _client.AnswerBatchAsync(host.Model, Batches.Archive(linked.ToArray())))[0]["error"]);

        static void Mark(byte[] zip, byte[] signature, int flags) => zip[zip.AsSpan().IndexOf(signature) + flags] |= 1;
    }

    /// <summary>Whatever came of it, no archive stays on the disk.</summary>
    private async Task<HttpResponseMessage> SendAsync(byte[] zip)
    {
        var answer = await _client.SendBatchAsync(host.Model, Batches.Archive(zip));
        var spool = Path.Combine(host.DataFolder, "spool");
        Assert.True(!Directory.Exists(spool) || Directory.GetFiles(spool).Length == 0);
        return answer;
    }

    public sealed class SmallHost(TestPostgres postgres) : TrainedHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
        [
            .. base.Settings, ("Headstart:BatchPredictions:MaxFiles", "300"), ("Headstart:BatchPredictions:MaxZipBytes", $"{20 << 20}"),
            ("Headstart:BatchPredictions:MaxUnpackedBytes", $"{30 << 20}"), ("Headstart:Uploads:MaxFileBytes", $"{20 << 20}"),
        ];
    }
}
