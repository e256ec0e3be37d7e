using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Web;

/// <summary>The cookie of the pages, as a browser and as somebody who means harm would use it. What pages do is tested in a
/// browser.</summary>
public sealed partial class SignInTests(SignInTests.Host host) : IClassFixture<SignInTests.Host>
{
    [Fact]
    public async Task A_key_gives_a_cookie_that_scripts_and_other_sites_cannot_use()
    {
        using var browser = new Browser(host);
        using var answer = await browser.SignInAsync(Api.Key);

        var cookie = answer.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("headstart=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Api.Key, Uri.UnescapeDataString(cookie), StringComparison.Ordinal);
        using var models = await browser.Client.GetAsync("/api/v1/models", Api.Cancel);
        await models.JsonAsync();
    }

    [Fact]
    public async Task The_cookie_alone_changes_nothing()
    {
        using var browser = new Browser(host);
        (await browser.SignInAsync(Api.Key)).Dispose();
        var model = new { name = "By cookie" };

        using var without = await browser.Client.PostAsync("/api/v1/models", model);
        await without.ProblemAsync(HttpStatusCode.BadRequest, "antiforgery");
        using var upload = await browser.Client.PostAsync("/api/v1/models/" + Guid.Empty + "/images",
            Api.Form("cats", ("cat.jpg", Pets.Cat)), Api.Cancel);
        await upload.ProblemAsync(HttpStatusCode.BadRequest, "antiforgery");

        browser.Client.DefaultRequestHeaders.Add("X-Headstart-Antiforgery", await browser.TokenAsync("/"));
        using var with = await browser.Client.PostAsync("/api/v1/models", model);
        await with.JsonAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_key_in_a_header_needs_no_token_and_wins_over_a_cookie()
    {
        using var browser = new Browser(host);
        (await browser.SignInAsync(Api.Key)).Dispose();
        browser.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "no key");
        using var refused = await browser.Client.GetAsync("/api/v1/models", Api.Cancel);
        await refused.ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task A_revoked_key_ends_what_its_cookie_opens()
    {
        var key = await (await host.Client.PostAsync("/api/v1/keys", new { name = "browser" })).JsonAsync(HttpStatusCode.Created);
        using var browser = new Browser(host);
        (await browser.SignInAsync((string)key["key"]!)).Dispose();
        (await browser.Client.GetAsync("/api/v1/models", Api.Cancel)).EnsureSuccessStatusCode().Dispose();

        (await host.Client.DeleteAsync($"/api/v1/keys/{key["id"]}", Api.Cancel)).EnsureSuccessStatusCode().Dispose();

        using var api = await browser.Client.GetAsync("/api/v1/models", Api.Cancel);
        await api.ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
        using var page = await browser.Client.GetAsync("/", Api.Cancel);
        Assert.Equal((HttpStatusCode.Redirect, "/signin?to=%2F"), (page.StatusCode, page.Headers.Location?.ToString()));
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/\n//evil.example")]
    public async Task Signing_in_leads_to_no_other_site(string to)
    {
        using var browser = new Browser(host);
        using var answer = await browser.SignInAsync(Api.Key, to);
        Assert.Equal("/", answer.Headers.Location?.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("wrong")]
    [InlineData("<script>alert(1)</script>")]
    public async Task A_wrong_key_leads_back_with_nothing_of_it_in_the_address(string key)
    {
        using var browser = new Browser(host);
        using var answer = await browser.SignInAsync(key, "/keys");
        Assert.Equal("/signin?failed=true&to=%2Fkeys", answer.Headers.Location?.ToString());
        Assert.False(answer.Headers.TryGetValues("Set-Cookie", out var cookies)
            && cookies.Any(c => c.StartsWith("headstart=", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Signing_in_and_out_takes_a_token_too()
    {
        using var client = host.ClientWith(null);
        using var form = new FormUrlEncodedContent([new("key", Api.Key)]);
        using var signIn = await client.PostAsync("/session", form, Api.Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, signIn.StatusCode);
        using var signOut = await client.PostAsync("/session/end", new FormUrlEncodedContent([]), Api.Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, signOut.StatusCode);
    }

    [Fact]
    public async Task Pages_say_what_a_browser_may_do_in_them()
    {
        using var client = host.ClientWith(null);
        using var page = await client.GetAsync("/signin", Api.Cancel);
        var policy = string.Join("; ", page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.DoesNotContain("<script>", await page.Content.ReadAsStringAsync(Api.Cancel), StringComparison.Ordinal);
        foreach (Match file in Links().Matches(await page.Content.ReadAsStringAsync(Api.Cancel)))
        {
            using var asset = await client.GetAsync("/" + WebUtility.HtmlDecode(file.Groups[1].Value), Api.Cancel);
            Assert.True(asset.IsSuccessStatusCode, $"{file.Groups[1].Value}: {asset.StatusCode}");
        }
    }

    [GeneratedRegex("""(?:src|href)="([^"/#][^"]*\.(?:js|css|svg))" """)]
    private static partial Regex Links();

    public sealed class Host(TestPostgres postgres) : TestHost(postgres);

    /// <summary>Keeps cookies, and stays where it is sent to.</summary>
}
