using System.Net;
using Headstart.Tests.Backbones;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Tests.Access;

[Collection<AccessHost>]
public sealed class KeysTests(TestHost host)
{
    private readonly HttpClient _admin = host.Client;

    [Fact]
    public async Task A_created_key_works_until_it_is_revoked_and_not_a_request_longer()
    {
        var (id, secret) = await host.NewKeyAsync();
        using var client = host.ClientWith(secret);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/models", Api.Cancel)).StatusCode);

        Assert.Equal(HttpStatusCode.NoContent, (await _admin.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{id}")).StatusCode);

        await (await client.GetAsync("/api/v1/models", Api.Cancel)).ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
        await (await _admin.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{id}")).ProblemAsync(HttpStatusCode.NotFound, "key-not-found");
    }

    [Fact]
    public async Task A_key_revoked_by_another_host_stops_working_soon_although_it_is_used_all_the_time()
    {
        var (id, secret) = await host.NewKeyAsync();
        using var client = host.ClientWith(secret);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/models", Api.Cancel)).StatusCode);
        var now = DateTime.UnixEpoch;
        await host.QueryAsync(db => db.ApiKeys.Where(k => k.Id == Guid.Parse(id))
            .ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, now), Api.Cancel));

        while ((await client.GetAsync("/api/v1/models", Api.Cancel)).StatusCode == HttpStatusCode.OK)
        {
            await Task.Delay(20, Api.Cancel); // for ever, if use kept it alive
        }
    }

    [Fact]
    public async Task A_secret_is_shown_once_and_never_in_a_list()
    {
        var (id, secret) = await host.NewKeyAsync();

        var list = await _admin.GetJsonAsync("/api/v1/keys?limit=200");

        Assert.Contains(list["items"]!.AsArray(), k => (string?)k!["id"] == id);
        Assert.DoesNotContain(secret, list.ToJsonString());
        Assert.DoesNotContain(TestHost.Key, list.ToJsonString());
        Assert.All(list["items"]!.AsArray(), k =>
            Assert.Equal(["id", "name", "prefix", "admin", "scopes", "expiresAt", "createdAt", "revokedAt"],
            k!.AsObject().Select(p => p.Key)));
    }

    [Fact]
    public async Task A_key_is_stored_as_a_hash_only()
    {
        var (id, secret) = await host.NewKeyAsync();
        var row = await host.QueryAsync(db => Task.FromResult(db.ApiKeys.Single(k => k.Id == Guid.Parse(id))));
        Assert.Equal(32, row.Hash.Length);
        Assert.True(row.Prefix.Length <= 6);
        Assert.StartsWith(row.Prefix, secret);
    }

    [Fact]
    public async Task A_key_that_is_no_admin_key_manages_no_keys()
    {
        var (id, secret) = await host.NewKeyAsync();
        using var client = host.ClientWith(secret);

        await (await client.GetAsync("/api/v1/keys", Api.Cancel)).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        await (await client.PostAsync("/api/v1/keys", new { name = "mine", admin = true }))
            .ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        await (await client.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{id}")).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
    }

    [Fact]
    public async Task The_last_admin_key_cannot_be_revoked()
    {
        using var other = await host.OtherAccountAsync();
        var (plain, _) = await host.NewKeyAsync(by: other);
        var admin = (await other.GetJsonAsync("/api/v1/keys"))["items"]!.AsArray().Single(k => (bool)k!["admin"]!)!["id"];

        await (await other.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{admin}")).ProblemAsync(HttpStatusCode.Conflict, "last-admin-key");

        Assert.Equal(HttpStatusCode.NoContent, (await other.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{plain}")).StatusCode);
        var (_, second) = await host.NewKeyAsync(admin: true, by: other);
        Assert.Equal(HttpStatusCode.NoContent, (await other.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{admin}")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.ClientWith(second).GetAsync("/api/v1/keys", Api.Cancel)).StatusCode);
    }

    [Fact]
    public async Task Two_admins_who_revoke_each_other_at_the_same_time_leave_one_of_them()
    {
        for (var round = 0; round < 5; round++)
        {
            using var first = await host.OtherAccountAsync();
            var (secondId, secret) = await host.NewKeyAsync(admin: true, by: first);
            using var second = host.ClientWith(secret);
            var firstId = (await second.GetJsonAsync("/api/v1/keys"))["items"]!.AsArray().Select(k => (string)k!["id"]!)
                .Single(id => id != secondId);

            var answers = await Task.WhenAll(
                first.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{secondId}"),
                second.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{firstId}"));

            Assert.Single(answers, a => a.StatusCode == HttpStatusCode.NoContent);
            var left = new[] { first, second }.Select(async c => (await c.GetAsync("/api/v1/keys", Api.Cancel)).StatusCode);
            Assert.Single(await Task.WhenAll(left), status => status == HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task The_keys_of_another_account_do_not_exist()
    {
        using var other = await host.OtherAccountAsync();
        var (id, _) = await host.NewKeyAsync();

        await (await other.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{id}")).ProblemAsync(HttpStatusCode.NotFound, "key-not-found");
        Assert.Single((await other.GetJsonAsync("/api/v1/keys"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Pages_of_keys_join_without_gap_or_repetition()
    {
        using var other = await host.OtherAccountAsync();
        for (var i = 0; i < 4; i++)
        {
            await host.NewKeyAsync(by: other);
        }

        var seen = new List<string>();
        for (var path = "/api/v1/keys?limit=2"; path is not null;)
        {
            var page = await other.GetJsonAsync(path);
            seen.AddRange(page["items"]!.AsArray().Select(k => (string)k!["id"]!));
            path = (string?)page["next"] is { } next ? $"/api/v1/keys?limit=2&after={next}" : null;
        }

        Assert.Equal(5, seen.Distinct().Count());
        Assert.Equal(seen.OrderDescending(StringComparer.Ordinal), seen);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData(null)]
    [InlineData("bell\u0007")]
    public async Task A_key_needs_a_name(string? name) =>
        await (await _admin.PostAsync("/api/v1/keys", new { name })).ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-name");
}
