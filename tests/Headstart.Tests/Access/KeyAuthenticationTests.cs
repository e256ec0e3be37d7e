using System.Net;
using System.Text;
using Headstart.Tests.Backbones;

namespace Headstart.Tests.Access;

[Collection<AccessHost>]
public sealed class KeyAuthenticationTests(TestHost host)
{
    private static readonly string AsUserName = Convert.ToBase64String(Encoding.UTF8.GetBytes(TestHost.Key + ":"));

    [Fact]
    public async Task Without_a_key_the_answer_says_how_to_send_one()
    {
        var response = await host.ClientWith(null).GetAsync("/api/v1/models", Api.Cancel);

        var problem = await response.ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
        Assert.Contains("Authorization: Bearer", (string?)problem["detail"]);
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [InlineData("Bearer wrong-key")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer  ")]
    [InlineData("BearerX " + TestHost.Key)]
    [InlineData(TestHost.Key)]
    [InlineData("Bearer: " + TestHost.Key)]
    [InlineData("Bearer " + TestHost.Key + ", Bearer " + TestHost.Key)]
    [InlineData("Bearer " + TestHost.Key + "\u00e9")]
    [InlineData("Bearer \u00ff\u00fe")]
    [InlineData("Bearer ' OR 1=1 --")]
    [InlineData("Basic")]
    [InlineData("Basic " + TestHost.Key)]
    [InlineData("Basic !!!not-base64!!!")]
    [InlineData("Basic Og==")]
    [InlineData("Basic //8=")]
    [InlineData("Basic AAAA")]
    [InlineData("Digest username=\"x\"")]
    [InlineData(",,,")]
    public async Task A_header_that_is_not_a_known_key_is_refused(string header) => await RefusedAsync(header);

    [Fact]
    public async Task A_very_long_key_is_refused() => await RefusedAsync("Bearer " + new string('k', 20_000));

    [Fact]
    public async Task The_key_as_password_is_refused() =>
        await RefusedAsync("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(":" + TestHost.Key)));

    [Fact]
    public async Task Two_authorization_headers_are_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/models");
        request.Headers.TryAddWithoutValidation("Authorization", ["Bearer " + TestHost.Key, "Bearer " + TestHost.Key]);
        await (await host.ClientWith(null).SendAsync(request, Api.Cancel)).ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task The_key_opens_as_bearer_and_as_user_name_of_basic_whatever_the_case_of_the_scheme()
    {
        foreach (var header in new[] { "Bearer " + TestHost.Key, "bearer " + TestHost.Key, "BEARER   " + TestHost.Key,
            "Basic " + AsUserName, "basic " + AsUserName })
        {
            using var response = await GetAsync(header);
            Assert.True(response.IsSuccessStatusCode, $"{header}: {response.StatusCode}");
        }
    }

    [Fact]
    public async Task A_password_beside_the_key_is_ignored()
    {
        using var response = await GetAsync("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(TestHost.Key + ":pass:word")));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_key_in_the_query_opens_nothing() =>
        await (await host.ClientWith(null).GetAsync($"/api/v1/models?key={TestHost.Key}&access_token={TestHost.Key}", Api.Cancel))
            .ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");

    [Fact]
    public async Task Health_needs_no_key_and_bears_a_wrong_one()
    {
        foreach (var client in new[] { host.ClientWith(null), host.ClientWith("wrong-key") })
        {
            Assert.Equal("live", (string?)(await client.GetJsonAsync("/health/live"))["status"]);
            Assert.Equal("ready", (string?)(await client.GetJsonAsync("/health/ready"))["status"]);
        }
    }

    [Fact]
    public async Task The_dashboard_is_not_there_unless_it_was_asked_for()
    {
        foreach (var path in new[] { "/hangfire", "/hangfire/", "/hangfire/jobs/enqueued" })
        {
            await (await host.Client.GetAsync(path, Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "not-found");
        }
    }

    private async Task RefusedAsync(string header)
    {
        using var response = await GetAsync(header);
        await response.ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
    }

    private async Task<HttpResponseMessage> GetAsync(string header)
    {
        using var handler = new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 };
        using var client = new HttpClient(handler) { BaseAddress = host.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/models");
        Assert.True(request.Headers.TryAddWithoutValidation("Authorization", header));
        return await client.SendAsync(request, Api.Cancel);
    }
}
