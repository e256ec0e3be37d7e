using System.Net;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Access;

public sealed class RateLimitTests(RateLimitTests.KeyHost keys,
    RateLimitTests.AddressHost addresses) : IClassFixture<RateLimitTests.KeyHost>, IClassFixture<RateLimitTests.AddressHost>
{
    private const int AtOnce = 60; // in far less than the seconds that the limit would need to let all of them through

    public sealed class KeyHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:RateLimits:PerKeyPerSecond", "4")];
    }

    public sealed class AddressHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:RateLimits:PerAddressPerSecond", "4")];
    }

    [Fact]
    public async Task A_key_that_asks_too_often_is_told_when_to_come_again_and_other_keys_are_answered()
    {
        var other = (string)(await (await keys.Client.PostAsync("/api/v1/keys", new { name = "another" }))
            .JsonAsync(HttpStatusCode.Created))["key"]!;
        var answers = await AtOnceAsync(keys.Client, "/api/v1/models");
        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        await RefusedAsync(answers);
        using var client = keys.ClientWith(other);
        await client.GetJsonAsync("/api/v1/models");
    }

    [Fact]
    public async Task An_address_that_asks_too_often_is_refused_before_its_key_is_looked_at_and_health_never()
    {
        using var stranger = addresses.ClientWith(null);
        await RefusedAsync(await AtOnceAsync(stranger, "/api/v1/models"));
        await RefusedAsync(await AtOnceAsync(addresses.Client, "/nothing"));
        Assert.All(await AtOnceAsync(stranger, "/health/live"), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.All(await AtOnceAsync(stranger, "/v2/health/live"), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }

    private static Task<HttpResponseMessage[]> AtOnceAsync(HttpClient client, string path) =>
        Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => client.GetAsync(path, Api.Cancel)));

    private static async Task RefusedAsync(HttpResponseMessage[] answers)
    {
        var refused = answers.First(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        await refused.ProblemAsync(HttpStatusCode.TooManyRequests, "too-many-requests");
        Assert.True(refused.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
    }
}
