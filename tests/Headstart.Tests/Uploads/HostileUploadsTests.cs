using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Uploads;

/// <summary>Uploads that mean harm, or are just not what they should be. The table of docs/uploads.md is the output of this
/// test.</summary>
public sealed partial class HostileUploadsTests(HostileUploadsTests.SmallHost host) : IClassFixture<HostileUploadsTests.SmallHost>
{
    private static readonly byte[] Good = Pictures.Tiny(1);
    private static readonly byte[] Zip = Batches.Zip(("cats/a.png", Good));
    private static readonly string Base64 = Convert.ToBase64String(Good);

    private readonly HttpClient _client = host.Client;

    /// <summary>What is sent, and the answer: a status with its type, or what became of each file (its reason, or accepted).</summary>
    private static readonly (string What, string Type, Func<byte[]> Body, string Answer)[] Archives =
    [
        ("text instead of an archive", "application/zip", () => "no archive"u8.ToArray(), "422 not-a-zip"),
        ("an image instead of an archive", "application/zip", () => Good, "422 not-a-zip"),
        ("nothing", "application/zip", () => [], "422 not-a-zip"),
        ("an archive cut off in the middle", "application/zip", () => Zip[..(Zip.Length / 2)], "422 not-a-zip"),
        ("an archive whose last bytes are missing", "application/zip", () => Zip[..^10], "422 not-a-zip"),
        ("an archive without files", "application/zip", () => Batches.Zip(), "422 no-files"),
        ("an archive with nothing but macOS metadata", "application/zip", () =>
            Batches.Zip(("cats/.DS_Store", [1]), ("__MACOSX/cats/._a.png", [1])), "422 no-files"),
        ("an archive larger than `MaxZipBytes`", "application/zip", () => new byte[(20 << 20) + 1], "413 too-large"),
        ("100,000 entries where `MaxZipFiles` allows 300", "application/zip", () =>
            Batches.Zip(Enumerable.Range(0, 100_000).Select(i => ($"cats/{i}.png", Array.Empty<byte>()))), "413 too-many-files"),
        ("a zip bomb: one file of 20 MiB of zeros", "application/zip", () =>
            Batches.Zip(CompressionLevel.Fastest, ("cats/b.png", new byte[20 << 20]), ("cats/a.png", Good)), "too-large, accepted"),
        ("a zip bomb: many files, together more than `MaxUnpackedBytes`", "application/zip", () =>
            Batches.Zip(CompressionLevel.Fastest, Enumerable.Range(0, 40).Select(i => ($"cats/{i}.png", new byte[1 << 20]))),
            "413 archive-too-large"),
        ("a zip bomb of damaged files", "application/zip", () => Batches.Damaged(
            Batches.Zip(CompressionLevel.Fastest, Enumerable.Range(0, 40).Select(i => ($"cats/{i}.png", new byte[1 << 20])))),
            "413 archive-too-large"),
        ("a zip bomb of damaged annotations, together more than `MaxManifestBytes`", "application/zip", () => Batches.Damaged(
            Batches.Zip(CompressionLevel.Fastest, Enumerable.Range(0, 40).Select(i => ($"{i}.json", new byte[1 << 20])))),
            "413 too-large"),
        ("a file that is larger than its entry says", "application/zip", () =>
            Lie(Batches.Zip(
                CompressionLevel.Fastest, ("cats/b.png", [.. Good, .. new byte[2 << 20]]), ("cats/a.png", Pictures.Tiny(2))), 40),
            "damaged-entry, accepted"),
        ("`../../escaped.png`, `/escaped.png`, `C:\\escaped.png`, `..\\escaped.png`, `cats/../escaped.png`", "application/zip", () =>
            Batches.Zip(
            new[] { "../../escaped.png", "/escaped.png", "C:\\escaped.png", "..\\escaped.png", "cats/../escaped.png" }.Select(name =>
            (name, Good))), "unsafe-name, unsafe-name, unsafe-name, unsafe-name, unsafe-name"),
        ("a file outside any folder", "application/zip", () => Batches.Zip(("a.png", Good)), "missing-category"),
        ("a folder whose name has 40,000 characters, and one whose name has a control character", "application/zip", () =>
            Batches.Zip((new string('c', 40_000) + "/a.png", Good), ("ca\u0007ts/a.png", Good)), "invalid-category, accepted"),
        ("a symbolic link", "application/zip", Link, "link"),
        ("an encrypted file", "application/zip", Encrypted, "encrypted"),
        ("an archive inside the archive", "application/zip", () => Batches.Zip(("cats/more.zip", Zip), ("cats/a.png", Good)),
            "archive, accepted"),
        ("two files of the same name", "application/zip", () => Batches.Zip(("cats/a.png", Good), ("cats/a.png", Pictures.Tiny(2))),
            "accepted, accepted"),
        ("the same bytes in two categories", "application/zip", () => Batches.Zip(("cats/a.png", Good), ("dogs/a.png", Good)),
            "accepted, duplicate"),
        ("a script, a web page and an empty file", "application/zip", () =>
            Batches.Zip(("cats/a.sh", "#!/bin/sh"u8.ToArray()), ("cats/a.html", "<html>"u8.ToArray()), ("cats/a.png", [])),
            "unsupported-format, unsupported-format, empty"),
        ("an image that claims 50,000 x 50,000 pixels", "application/zip", () =>
            Batches.Zip(("cats/a.png", Pictures.PngClaiming(50_000, 50_000))), "too-many-pixels"),
        ("a labels.csv that is binary", "application/zip", () => Batches.Zip(("labels.csv", Good), ("a.png", Good)),
            "422 unknown-encoding"),
        ("a labels.csv that names `../../etc/passwd`", "application/zip", () =>
            Batches.Zip(("labels.csv", "file,category\n../../etc/passwd,cats\na.png,cats\n"u8.ToArray()), ("a.png", Good)),
            "accepted, missing-file"),
    ];

    private static readonly (string What, string Type, Func<byte[]> Body, string Answer)[] Manifests =
    [
        ("a table that is an image", "text/csv", () => Good, "422 unknown-encoding"),
        ("an empty table", "text/csv", () => [], "422 invalid-manifest"),
        ("a table with another header", "text/csv", () => "who,what\na,b\n"u8.ToArray(), "422 invalid-manifest"),
        ("a table without a header", "text/csv", () => "http://example.com/a.png,cats\n"u8.ToArray(), "422 invalid-manifest"),
        ("a table with only a header", "text/csv", () => "url,category\n"u8.ToArray(), "422 no-files"),
        ("a table with a cell of 1 MB", "text/csv", () =>
            Encoding.UTF8.GetBytes($"url,category\nhttp://{new string('a', 1_000_000)},cats\n"), "422 invalid-manifest"),
        ("a table with an unclosed quote", "text/csv", () =>
            Encoding.UTF8.GetBytes("url,category\n\"http://a,cats\n" + string.Concat(Enumerable.Repeat("b,cats\n", 20_000))),
            "422 invalid-manifest"),
        ("a table with an unclosed quote in its last row", "text/csv", () =>
            "url,category\nhttp://10.0.0.1/a,cats\n\"http://10.0.0.1/b,cats\n"u8.ToArray(), "422 invalid-manifest"),
        ("more rows than `MaxRows`", "text/csv", () =>
            Encoding.UTF8.GetBytes("url,category\n" + string.Concat(Enumerable.Repeat("http://10.0.0.1/a,cats\n", 301))), "413 too-many-rows"),
        ("more rows than `MaxRows` in another tool's manifest of a form", "multipart/form-data; boundary=" + Form.Boundary, () =>
            new Form().Part("form-data; name=\"manifest\"", Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Range(0, 301).Select(i =>
                $"{{\"image\":\"/data/upload/1/{i}.png\",\"choice\":\"cats\",\"annotation_id\":{i},\"lead_time\":1}}"))}]")).Bytes,
            "413 too-many-rows"),
        ("20,000 rows of Label Studio, each with another column", "application/json", () =>
            Encoding.UTF8.GetBytes("[{\"annotation_id\":1,\"lead_time\":1}"
                + string.Concat(Enumerable.Range(0, 20_000).Select(i => $",{{\"c{i}\":\"{i}\"}}")) + ",{\"last\":\"a.png\"}]"),
            "422 invalid-annotations"),
        ("a manifest larger than `MaxManifestBytes`", "text/csv", () => new byte[(4 << 20) + 1], "413 too-large"),
        ("categories: unknown, none, several, with NUL", "text/csv", () =>
            "url,category\nhttp://10.0.0.1/a,wolves\nhttp://10.0.0.1/a,\nhttp://10.0.0.1/a,cats|dogs\nhttp://10.0.0.1/a,ca\0ts\n"u8.ToArray(),
            "unknown-category, invalid-category, several-categories, invalid-category"),
        ("URLs: `file:///etc/passwd`, `http://169.254.169.254/`, `http://localhost/`, with a password, with NUL", "text/csv",
            () => "url,category\nfile:///etc/passwd,cats\nhttp://169.254.169.254/,cats\nhttp://localhost/,cats\nhttp://a:b@example.com/,cats\nhttp://exa\0mple.com/,cats\n"u8.ToArray(),
            "invalid-url, private-address, private-address, invalid-url, invalid-url"),
        ("a table of files, without the files", "text/csv", () => "file,category\na.png,cats\n"u8.ToArray(), "file-not-sent"),
        ("JSON Lines with an invalid line, and one with a NUL", "application/x-ndjson", () =>
            Encoding.UTF8.GetBytes($"{{\"base64\":\"{Base64}\",\"category\":\"cats\"}}\n{{broken\n\0\n"), "accepted, invalid-row, invalid-row"),
        ("JSON Lines with a line of 3 MB", "application/x-ndjson", () =>
            Encoding.UTF8.GetBytes($"{{\"base64\":\"{new string('A', 3_000_000)}\",\"category\":\"cats\"}}\n{{\"base64\":\"{Base64}\",\"category\":\"cats\"}}"), "row-too-long, accepted"),
        ("JSON that is broken", "application/json", () => """{"images":[{"base64":"""u8.ToArray(), "400 bad-request"),
        ("JSON nested 100,000 levels deep", "application/json", () => Encoding.UTF8.GetBytes("{\"images\":" + new string('[', 100_000)),
            "400 bad-request"),
            ("JSON that is binary", "application/json", () => Good, "400 bad-request"),
        ("JSON without images", "application/json", () => """{"urls":["http://example.com"]}"""u8.ToArray(), "422 no-files"),
        ("JSON with an empty list", "application/json", () => """{"images":[]}"""u8.ToArray(), "422 no-files"),
        ("JSON with an image of 3 MB", "application/json", () => Encoding.UTF8.GetBytes($$"""{"images":[{"base64":"{{new string('A', 3_000_000)}}","category":"cats"}]}"""), "too-large"),
        ("base64 with invalid characters, cut off, with wrong padding, empty", "application/x-ndjson", () => Encoding.UTF8.GetBytes(
            string.Join('\n', new[] { "%%%%", Base64[..^3], Base64[..^4] + "A===", "" }.Select(text =>
            $"{{\"base64\":\"{text}\",\"category\":\"cats\"}}"))), "invalid-base64, invalid-base64, invalid-base64, empty"),
        ("a data URL of a web page, and one without base64", "application/x-ndjson", () => Encoding.UTF8.GetBytes(
            "{\"base64\":\"data:text/html;base64,PGh0bWw+\",\"category\":\"cats\"}\n{\"base64\":\"data:image/svg+xml,<svg/>\",\"category\":\"cats\"}"), "unsupported-format, invalid-base64"),
    ];

    [Fact]
    public async Task Every_bad_upload_gets_its_answer_and_nothing_is_written_but_images()
    {
        var before = Files();
        var table = new StringBuilder("| sent | answer |\n| --- | --- |\n");
        foreach (var (what, type, body, expected) in Archives.Concat(Manifests))
        {
            var (answer, sentence) = await AnswerAsync(type, body());
            Assert.True(answer == expected, $"{what}: {answer} instead of {expected}: {sentence}");
            Assert.True(sentence is null || sentence.EndsWith('.') || sentence.EndsWith(')'), $"{what}: {sentence}");
            table.Append($"| {what} | {answer}{(sentence is null ? "" : $": {sentence.Replace("|", "\\|", StringComparison.Ordinal)}")} |\n");
        }

        await DocumentAsync(Id().Replace(table.ToString(), "…"));
        Assert.Empty(Directory.GetFiles(Path.Combine(host.DataFolder, "spool")));
        Assert.Equal(before, Files().Where(file => !Path.GetFileName(file).All(char.IsAsciiHexDigitLower))); // images, by their SHA-256
        Assert.Empty(Directory.GetFiles(Path.GetFullPath(Path.Combine(host.DataFolder, "..")), "*escaped*"));
        Assert.False(File.Exists("/escaped.png") || File.Exists("escaped.png"));
    }

    /// <summary>The status and type of a refusal; of an answer what became of each file, in their order as far as it can be seen.</summary>
    private async Task<(string Answer, string? Sentence)> AnswerAsync(string type, byte[] body)
    {
        var model = await _client.NewModelAsync("cats", "dogs");
        var response = await _client.SendImagesAsync(model, UploadCalls.Body(type, body), "?async=false");
        var text = await response.Content.ReadAsStringAsync(Api.Cancel);
        var answer = JsonNode.Parse(text)!;
        if (answer["rejected"] is null)
        {
            return ($"{(int)response.StatusCode} {answer["type"]}", (string?)answer["detail"]);
        }

        var (accepted, rejected) = (answer["accepted"]!.AsArray().Count, answer["rejected"]!.AsArray());
        var reasons = rejected.Select(r => (string)r!["reason"]!).ToList();
        // What is accepted first and what is rejected first is not said; the table's cases have the accepted one first or last.
        var first = type == "application/zip" ? reasons.Contains("duplicate") || reasons.Contains("missing-file")
            : !reasons.Contains("row-too-long");
        reasons.InsertRange(first ? 0 : reasons.Count, Enumerable.Repeat("accepted", accepted));
        return (string.Join(", ", reasons), rejected.Count > 0 ? (string?)rejected[0]!["detail"] : null);
    }

    /// <summary>The table stands in docs/uploads.md. HEADSTART_UPDATE_DOCS=1 writes it there.</summary>
    private static async Task DocumentAsync(string table)
    {
        var file = Repository.PathOf("docs", "uploads.md");
        var text = await File.ReadAllTextAsync(file, Api.Cancel);
        var start = text.IndexOf("| sent | answer |", StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("HEADSTART_UPDATE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(file, text[..start] + table, Api.Cancel);
        }
        else
        {
            Assert.Equal(text[start..], table);
        }
    }

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex Id();

    private List<string> Files() => [.. Directory.GetFiles(host.DataFolder, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal)];

    private static byte[] Encrypted()
    {
        var zip = Zip.ToArray();
        zip[zip.AsSpan().IndexOf("PK\x03\x04"u8) + 6] |= 1;
        zip[zip.AsSpan().IndexOf("PK\x01\x02"u8) + 8] |= 1;
        return zip;
    }

    private static byte[] Link()
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            var entry = zip.CreateEntry("cats/link.png");
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
            using var target = entry.Open();
            target.Write("/etc/passwd"u8);
        }

        return bytes.ToArray();
    }

    /// <summary>Writes another size of the unpacked file into the directory entry of the first file.</summary>
    private static byte[] Lie(byte[] zip, int size)
    {
        BitConverter.TryWriteBytes(zip.AsSpan(zip.AsSpan().IndexOf("PK\x01\x02"u8) + 24), size);
        return zip;
    }

    public sealed class SmallHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
        [
            .. base.Settings, ("Headstart:Uploads:MaxFileBytes", $"{2 << 20}"), ("Headstart:Uploads:MaxZipFiles", "300"),
                ("Headstart:Uploads:MaxZipBytes", $"{20 << 20}"),
            ("Headstart:Uploads:MaxUnpackedBytes", $"{30 << 20}"), ("Headstart:Uploads:MaxRows", "300"),
                ("Headstart:Uploads:MaxManifestBytes", $"{4 << 20}"),
        ];
    }
}
