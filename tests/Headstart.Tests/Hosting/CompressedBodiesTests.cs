using System.IO.Compression;
using System.Net;
using System.Text;
using Headstart.Tests.Backbones;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Uploads;

namespace Headstart.Tests.Hosting;

/// <summary>Bodies with a Content-Encoding are unpacked within the same limits; any other encoding is refused.</summary>
[Collection<HostingHost>]
public sealed class CompressedBodiesTests(TestHost host)
{
    private readonly HttpClient _client = host.Client;

    private static readonly (string Name, Func<Stream, Stream> Pack)[] Encodings =
    [
        ("gzip", to => new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true)),
        ("x-gzip", to => new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true)),
        ("deflate", to => new ZLibStream(to, CompressionLevel.Fastest, leaveOpen: true)),
        ("deflate", to => new DeflateStream(to, CompressionLevel.Fastest, leaveOpen: true)), // as some clients understand it
        ("br", to => new BrotliStream(to, CompressionLevel.Fastest, leaveOpen: true)),
    ];

    [Fact]
    public async Task Every_kind_of_body_may_be_compressed()
    {
        foreach (var (name, pack) in Encodings)
        {
            var created = await SendAsync("/api/v1/models", "application/json",
                Packed(pack, Encoding.UTF8.GetBytes($$"""{"name":"{{Guid.CreateVersion7()}}"}""")), name);
            var model = $"/api/v1/models/{(await created.JsonAsync(HttpStatusCode.Created))["id"]}";
            await (await SendAsync($"{model}/images", "application/zip", Packed(pack, Batches.Zip(("cats/a.png", Pictures.Tiny(1)))), name))
                .JsonAsync();
            await (await SendAsync($"{model}/images", "multipart/form-data; boundary=" + Form.Boundary, Packed(pack,
                new Form().Field("category", "cats").File("b.png", Pictures.Tiny(2)).Bytes), name)).JsonAsync();
            await (await SendAsync($"{model}/images", "application/x-ndjson", Packed(pack, Encoding.UTF8.GetBytes(
                $"{{\"base64\":\"{Convert.ToBase64String(Pictures.Tiny(3))}\",\"category\":\"cats\"}}")), name)).JsonAsync();
            Assert.Equal((name, 3), (name, await _client.CountAsync(model)));
        }
    }

    [Fact]
    public async Task The_limits_hold_for_what_is_unpacked()
    {
        var bomb = Packed(to => new GZipStream(to, CompressionLevel.SmallestSize, leaveOpen: true), Encoding.UTF8.GetBytes("{\"name\":\"" + new string('x', 200 << 20) + "\"}"));
        Assert.True(bomb.Length < 1 << 20);
        await (await SendAsync("/api/v1/models", "application/json", bomb, "gzip")).ProblemAsync(HttpStatusCode.RequestEntityTooLarge,
            "too-large");
    }

    [Theory]
    [InlineData("zstd")]
    [InlineData("gzip, br")]
    public async Task An_encoding_that_is_not_read_is_refused_with_those_that_are(string encoding)
    {
        var answer = await SendAsync("/api/v1/models", "application/json", "{}"u8.ToArray(), encoding);
        Assert.Equal("gzip, deflate, br", string.Join(", ", answer.Headers.GetValues("Accept-Encoding")));
        await answer.ProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-encoding");
    }

    [Fact]
    public async Task A_body_that_cannot_be_unpacked_is_refused()
    {
        var whole = Packed(Encodings[0].Pack, Encoding.UTF8.GetBytes("text,category\n" + string.Join('\n', Enumerable.Range(0, 500))));
        var model = await _client.NewTextModelAsync();
        byte[] damaged = [.. whole[..20], 255, 255, 255, .. whole[23..]];
        foreach (var body in new[] { whole[..(whole.Length / 2)], "not gzip at all"u8.ToArray(), damaged })
        {
            await (await SendAsync($"{model}/texts", "text/csv", body, "gzip")).ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        }

        Assert.Empty((await _client.GetJsonAsync($"{model}/texts"))["items"]!.AsArray());
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/csv")]
    [InlineData("multipart/form-data; boundary=a-boundary")]
    public async Task A_gzip_body_without_the_header_is_told_what_to_do(string type)
    {
        var model = await _client.NewModelAsync();
        var problem = await (await SendAsync($"{model}/images", type, Packed(Encodings[0].Pack, "{\"images\":[]}"u8.ToArray()), null))
            .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        Assert.Contains("Content-Encoding: gzip", (string?)problem["detail"]);
    }

    [Fact]
    public async Task Json_in_utf_16_is_named()
    {
        foreach (var bytes in new[] { [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("{}")], Encoding.Unicode.GetBytes("{\"name\":\"a\"}"),
            Encoding.BigEndianUnicode.GetBytes("{\"name\":\"a\"}"), [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes("{}")] })
        {
            var problem = await (await SendAsync("/api/v1/models", "application/json", bytes, null))
                .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
            Assert.Contains("UTF-16", (string?)problem["detail"]);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string path, string type, byte[] body, string? encoding)
    {
        using var content = Form.Of(body, type);
        if (encoding is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        }

        return await _client.PostAsync(path, content, Api.Cancel);
    }

    private static byte[] Packed(Func<Stream, Stream> pack, byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var to = pack(packed))
        {
            to.Write(bytes);
        }

        return packed.ToArray();
    }
}
