using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Headstart.Configuration;
using Headstart.Tests.Deploy;
using Headstart.Tests.Postgres;
using Headstart.Tests.Web;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Http;

/// <summary>A host that is known below <c>/headstart</c>, behind a proxy that passes the prefix on and one that cuts it off.</summary>
public sealed partial class PathPrefixTests(PathPrefixTests.Host host,
    PathPrefixTests.Believer believer) : IClassFixture<PathPrefixTests.Host>, IClassFixture<PathPrefixTests.Believer>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_main_job_is_done_below_the_prefix(bool cuts)
    {
        using var client = host.Behind(cuts);
        var model = Below(await client.PostAsync("/headstart/api/v1/models",
            new { name = $"Pets {cuts}", categories = (string[])["cats", "dogs"] }));
        await client.UploadSetAsync(model, Pets.Folder, 6);
        var run = Below(await client.PostAsync($"{model}/training-runs", Api.BuiltIn));
        Assert.Contains("\"state\":\"succeeded\"", await client.GetStringAsync($"{run}/events", Api.Cancel), StringComparison.Ordinal);

        var cat = Pets.Cats[0];
        var predicted = (await client.PredictAsync(model, cat))["predictions"]![0]!["labels"]!.ToJsonString();
        Assert.Contains("cats", predicted, StringComparison.Ordinal);
        Assert.StartsWith("<!DOCTYPE html>", await client.GetStringAsync($"{model}/versions/1/report.html", Api.Cancel),
            StringComparison.OrdinalIgnoreCase);
        Assert.Equal("PK", (await client.GetStringAsync($"{model}/versions/1/export", Api.Cancel))[..2]);

        var id = model.Split('/')[^1];
        Assert.Equal("cats", (string?)(await client.GetJsonAsync($"/headstart/v2/models/{id}"))["parameters"]!["labels"]![0]);
        using var photograph = Api.Form(null, ("cat.jpg", await File.ReadAllBytesAsync(cat, Api.Cancel)));
        var labelled = await (await client.PostAsync($"/headstart/api/v2/ImageCategorization/LabelFile/?modelId={id}", photograph,
            Api.Cancel)).JsonAsync();
        Assert.Equal("Success", (string?)labelled["message"]);
        var refused = await (await client.GetAsync("/headstart/api/v2/ImageCategorization/Nothing", Api.Cancel))
            .JsonAsync(HttpStatusCode.NotFound);
        Assert.Equal(404, (int?)refused["code"]); // as clients of NanoNets expect it
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pages_their_files_cookies_and_redirects_stay_below_the_prefix(bool cuts)
    {
        using var browser = new Browser(new Uri(host.Proxy(cuts), "/headstart/"));
        Assert.Equal("/headstart/signin?to=%2Fkeys%3Fa%3D1", await LocationAsync(browser, "/headstart/keys?a=1"));
        using var wrong = await browser.SignInAsync("wrong", "/keys");
        Assert.Equal("/headstart/signin?failed=true&to=%2Fkeys", $"{wrong.Headers.Location}");
        using var signedIn = await browser.SignInAsync(Api.Key, "/keys");
        Assert.Equal("/headstart/keys", $"{signedIn.Headers.Location}");
        Assert.All(browser.Cookies.GetAllCookies(), cookie => Assert.Equal("/headstart", cookie.Path));
        Assert.Equal(["headstart", "headstart-antiforgery"], browser.Cookies.GetAllCookies().Select(cookie => cookie.Name).Order());

        foreach (var path in (string[])["/headstart/", "/headstart/signin", "/headstart/keys"])
        {
            var page = await browser.Client.GetStringAsync(path, Api.Cancel);
            var start = new Uri(browser.Client.BaseAddress!, Base().Match(page).Groups[1].Value);
            Assert.Equal("/headstart/", start.AbsolutePath);
            foreach (var link in Links().Matches(page).Select(link => new Uri(start, WebUtility.HtmlDecode(link.Groups[2].Value))))
            {
                Assert.StartsWith("/headstart/", link.AbsolutePath);
                using var file = await browser.Client.GetAsync(link, Api.Cancel);
                // a form's
                Assert.True(file.IsSuccessStatusCode || link.AbsolutePath == "/headstart/session", $"{link}: {file.StatusCode}");
            }
        }

        browser.Client.DefaultRequestHeaders.Add("X-Headstart-Antiforgery", await browser.TokenAsync("/headstart/"));
        Below(await browser.Client.PostAsync("/headstart/api/v1/models", new { name = $"By cookie {cuts}" }));
        await (await browser.Client.PostAsync("/headstart/_blazor/negotiate?negotiateVersion=1", null, Api.Cancel)).JsonAsync();
        using var form = new FormUrlEncodedContent([]);
        using var signedOut = await browser.Client.PostAsync("/headstart/session/end", form, Api.Cancel);
        Assert.Equal("/headstart/signin", $"{signedOut.Headers.Location}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_document_the_page_that_shows_it_and_errors_know_the_prefix(bool cuts)
    {
        using var client = host.Behind(cuts);
        Assert.Equal("""[{"url":"/headstart"}]""", (await client.GetJsonAsync("/headstart/swagger/v1/swagger.json"))["servers"]!.ToJsonString());
        using var ui = await client.GetAsync("/headstart/swagger", Api.Cancel); // follows
        Assert.Equal("/headstart/swagger/index.html", ui.RequestMessage!.RequestUri!.AbsolutePath);
        Assert.Contains("\"v1/swagger.json\"", await client.GetStringAsync("/headstart/swagger/index.js", Api.Cancel),
            StringComparison.Ordinal);
        var nothing = await (await client.GetAsync("/headstart/nothing", Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "not-found");
        Assert.Contains("; /headstart/swagger lists", (string?)nothing["detail"], StringComparison.Ordinal);
        using var dashboard = await client.GetAsync("/headstart/hangfire", Api.Cancel);
        var links = Links().Matches(await dashboard.Content.ReadAsStringAsync(Api.Cancel)).Select(link => link.Groups[2].Value).ToList();
        Assert.NotEmpty(links);
        Assert.All(links.Where(link => link.StartsWith('/')), link => Assert.StartsWith("/headstart/", link));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/headstart")]
    public async Task Whoever_asks_the_process_itself_needs_no_prefix(string way)
    {
        await host.Client.GetJsonAsync($"{way}/health/ready");
        Assert.Contains("# TYPE", await host.Client.GetStringAsync($"{way}/metrics", Api.Cancel), StringComparison.Ordinal);
        await host.Client.GetJsonAsync($"{way}/api/v1/models");
        using var browser = new Browser(host);
        Assert.Equal(way.Length == 0 ? "/headstart/signin?to=%2F" : "/headstart/?a=1",
            await LocationAsync(browser, way.Length == 0 ? "/" : "/headstart?a=1"));
        using var beside = await host.Client.GetAsync("/headstarter/api/v1/models", Api.Cancel);
        Assert.Equal(HttpStatusCode.NotFound, beside.StatusCode);
    }

    [Fact]
    public async Task A_header_says_the_prefix_only_where_proxies_are_believed()
    {
        Assert.Equal("/headstart/", await BaseAsync(host, "/elsewhere"));
        Assert.Equal("/elsewhere/", await BaseAsync(believer, "/elsewhere"));
        Assert.Equal("/", await BaseAsync(believer, null));
    }

    [Theory]
    [InlineData("/team/headstart", "/team/headstart/")]
    [InlineData("/headstart/", "/headstart/")]
    [InlineData("/first, /second", "/second/")] // the proxy that is nearest
    [InlineData("//evil.example", "/")]
    [InlineData("https://evil.example/headstart", "/")]
    [InlineData("/a b", "/")]
    [InlineData("/\"><script>", "/")]
    [InlineData("/../up", "/")]
    [InlineData("/models", "/models/")]
    [InlineData("", "/")]
    public async Task A_header_that_is_no_path_is_as_none(string header, string wanted) =>
        Assert.Equal(wanted, await BaseAsync(believer, header));

    [Fact]
    public async Task A_prefix_that_a_header_says_is_cut_off_where_it_came_along()
    {
        using var client = believer.ClientWith(Api.Key);
        client.DefaultRequestHeaders.Add("X-Forwarded-Prefix", "/team/headstart");
        await client.GetJsonAsync("/team/headstart/api/v1/models");
        await client.GetJsonAsync("/api/v1/models");
    }

    [Theory]
    [InlineData("//evil")]
    [InlineData("/a b")]
    [InlineData(" /headstart")]
    [InlineData("/headstart\n")]
    [InlineData("https://example.com/headstart")]
    [InlineData("/a//b")]
    [InlineData("/../a")]
    [InlineData("/a?b")]
    [InlineData("/käse")]
    [InlineData("/api")]
    [InlineData("/Models/here")]
    public void A_setting_that_is_no_prefix_is_refused_with_a_sentence(string value) =>
        Assert.StartsWith($"Headstart:PathBase is \"{value}\"", new Settings { PathBase = value }.Problem());

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("headstart")]
    [InlineData("/team_1/head-start.2/")]
    [InlineData("/api/headstart")]
    public void A_missing_slash_is_forgiven(string value) => Assert.Null(new Settings { PathBase = value }.Problem());

    [Fact]
    public void No_prefix_can_be_mistaken_for_an_address_of_the_host()
    {
        var starts = host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<StaticAssetDescriptor>() is null
                && endpoint.RoutePattern.PathSegments is [{ Parts: [RoutePatternLiteralPart] }, ..])
            .Select(endpoint => "/" + endpoint.RoutePattern.RawText!.TrimStart('/').Split('/')[0]).Distinct().ToList();
        Assert.True(starts.Count > 8, string.Join(' ', starts));
        Assert.All(starts, start => Assert.NotNull(new Settings { PathBase = start }.Problem()));
    }

    private static async Task<string> BaseAsync(TestHost asked, string? header)
    {
        using var client = asked.ClientWith(null);
        if (header is not null)
        {
            client.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-Prefix", header);
        }

        return Base().Match(await client.GetStringAsync("/signin", Api.Cancel)).Groups[1].Value;
    }

    private static async Task<string> LocationAsync(Browser browser, string path)
    {
        using var answer = await browser.Client.GetAsync(path, Api.Cancel);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return $"{answer.Headers.Location}";
    }

    /// <summary>Where the answer says that the new thing is.</summary>
    private static string Below(HttpResponseMessage answer)
    {
        using (answer)
        {
            Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.Accepted, $"{answer.StatusCode}");
            var location = $"{answer.Headers.Location}";
            Assert.StartsWith("/headstart/api/v1/models/", location);
            return location;
        }
    }

    [GeneratedRegex("<base href=\"([^\"]*)\"")]
    private static partial Regex Base();

    [GeneratedRegex("(src|href|action)=\"([^\"#]+)\"")]
    private static partial Regex Links();

    [Theory]
    [InlineData("/metrics", null, null, HttpStatusCode.OK)]
    [InlineData("/metrics", "203.0.113.7", null, HttpStatusCode.NotFound)]
    [InlineData("/Metrics", "203.0.113.7", null, HttpStatusCode.NotFound)]
    [InlineData("/cut/metrics", "203.0.113.7", "/cut", HttpStatusCode.NotFound)]
    public async Task Metrics_that_everybody_may_read_are_not_for_those_who_come_through_a_proxy(string path, string? from, string? prefix,
        HttpStatusCode expected)
    {
        using var client = new HttpClient { BaseAddress = believer.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Forwarded-For", from is null ? [] : [from]);
        request.Headers.Add("X-Forwarded-Prefix", prefix is null ? [] : [prefix]);

        using var answer = await client.SendAsync(request, Api.Cancel);

        Assert.Equal(expected, answer.StatusCode);
    }

    public sealed class Host(TestPostgres postgres) : TestHost(postgres), IAsyncLifetime
    {
        private Nginx? _passingOn;
        private Nginx? _cutting;

        protected override IEnumerable<(string Name, string Value)> Settings =>
            [("Headstart:PathBase", "headstart/"), ("Headstart:Dashboard", "true")];

        public Uri Proxy(bool cuts)
        {
            Needs.Programs("nginx");
            return (cuts ? _cutting : _passingOn)!.Address;
        }

        public HttpClient Behind(bool cuts)
        {
            var client = new HttpClient { BaseAddress = Proxy(cuts) };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Api.Key);
            return client;
        }

        public new async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            if (Needs.Has("nginx"))
            {
                _passingOn = await NginxBelowPrefix.StartAsync(Address, cuts: false);
                _cutting = await NginxBelowPrefix.StartAsync(Address, cuts: true);
            }
        }

        public override async ValueTask DisposeAsync()
        {
            foreach (var nginx in (Nginx?[])[_passingOn, _cutting])
            {
                await (nginx?.DisposeAsync() ?? ValueTask.CompletedTask);
            }

            await base.DisposeAsync();
        }
    }

    /// <summary>A host that believes what proxies say, and shows its metrics to those who come without one.</summary>
    public sealed class Believer(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [("ForwardedHeaders_Enabled", "true"), ("Headstart:Metrics", "Everybody")];
    }
}
