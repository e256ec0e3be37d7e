using System.Net;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;
using Headstart.Tests.Web;

namespace Headstart.Tests.Access;

public sealed class KeyGuessesTests(KeyGuessesTests.CarefulHost host) : IClassFixture<KeyGuessesTests.CarefulHost>
{
    public sealed class CarefulHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:RateLimits:FailedSignInsPerMinute", "3")];
    }

    [Fact]
    public async Task After_a_few_wrong_keys_none_from_that_address_is_looked_at_for_a_while()
    {
        for (var again = 0; again < 10; again++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync("an-old-key")); // the same one again is no guess
            Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(null));
        }

        Assert.Equal(HttpStatusCode.OK, await AskAsync(TestHost.Key));
        for (var guess = 0; guess < 20; guess++)
        {
            await AskAsync($"guess-{guess}"); // a busy machine may take so long that another one is let through
        }

        var refused = await host.Client.GetAsync("/api/v1/models", Api.Cancel);
        await refused.ProblemAsync(HttpStatusCode.TooManyRequests, "too-many-requests");
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20));
        using var stranger = host.ClientWith(null);
        Assert.Equal("live", (string?)(await stranger.GetJsonAsync("/health/live"))["status"]);
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(null)); // no key is no guess
        using var browser = new Browser(host);
        Assert.Contains("failed=often", (await browser.SignInAsync(TestHost.Key)).Headers.Location?.ToString());
    }

    private async Task<HttpStatusCode> AskAsync(string? key)
    {
        using var client = host.ClientWith(key);
        return (await client.GetAsync("/api/v1/models", Api.Cancel)).StatusCode;
    }
}
