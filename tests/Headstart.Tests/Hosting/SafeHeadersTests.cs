using System.Net;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Hosting;

[Collection<HostingHost>]
public sealed class SafeHeadersTests(TestHost host)
{
    [Theory]
    [InlineData("/health/live")]
    [InlineData("/api/v1/models")]
    [InlineData("/api/v1/models?limit=x")]
    [InlineData("/v2")]
    [InlineData("/nothing")]
    public async Task Data_may_do_nothing_in_a_browser(string path)
    {
        var headers = (await host.Client.GetAsync(path, Api.Cancel)).Headers;
        Assert.Equal(["nosniff"], headers.GetValues("X-Content-Type-Options"));
        Assert.Equal(["no-referrer"], headers.GetValues("Referrer-Policy"));
        Assert.StartsWith("default-src 'none'", Assert.Single(headers.GetValues("Content-Security-Policy")));
    }

    [Theory]
    [InlineData("/signin", "same-origin")]
    [InlineData("/swagger/index.html", "no-referrer")]
    [InlineData("/favicon.svg", "no-referrer")]
    public async Task Pages_and_files_have_the_headers_too(string path, string referrer)
    {
        using var client = host.ClientWith(null);
        var response = await client.GetAsync(path, Api.Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["nosniff"], response.Headers.GetValues("X-Content-Type-Options"));
        Assert.Equal([referrer], response.Headers.GetValues("Referrer-Policy"));
    }

    [Fact]
    public async Task A_new_key_is_not_kept_by_caches_nor_is_a_refusal()
    {
        var made = await host.Client.PostAsync("/api/v1/keys", new { name = "shop" });
        Assert.Equal((HttpStatusCode.Created, true), (made.StatusCode, made.Headers.CacheControl?.NoStore));
        using var client = host.ClientWith("wrong");
        Assert.True((await client.GetAsync("/api/v1/keys", Api.Cancel)).Headers.CacheControl?.NoStore);
    }

    [Theory]
    [InlineData("utf-7")]
    [InlineData("klingon")]
    public async Task Json_in_an_unknown_encoding_is_refused(string charset)
    {
        using var body = new ByteArrayContent("{}"u8.ToArray());
        body.Headers.TryAddWithoutValidation("Content-Type", $"application/json; charset={charset}");
        await (await host.Client.PostAsync("/api/v1/models", body, Api.Cancel))
            .ProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }
}
