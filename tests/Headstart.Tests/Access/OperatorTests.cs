using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Access;

/// <summary>Accounts as those who run the installation make and change them.</summary>
public sealed class OperatorTests(OperatorTests.HostWithQuotas host) : IClassFixture<OperatorTests.HostWithQuotas>
{
    [Fact]
    public async Task A_new_account_has_an_admin_key_that_is_shown_once_and_sees_nothing_of_the_others()
    {
        var mine = await host.Client.NewModelAsync("cats");
        var account = await NewAccountAsync(new { name = " Web  shop " });
        using var client = host.ClientWith((string)account["key"]!);

        Assert.Empty((await client.GetJsonAsync("/api/v1/models"))["items"]!.AsArray());
        await (await client.GetAsync(mine, Api.Cancel)).ProblemAsync(HttpStatusCode.NotFound, "model-not-found");
        Assert.Equal((string?)account["keyId"], (string?)Assert.Single(
            (await client.GetJsonAsync("/api/v1/keys"))["items"]!.AsArray())!["id"]);
        Assert.False((bool)account["operator"]!);
        Assert.DoesNotContain((string)account["key"]!, (await host.Client.GetJsonAsync("/api/v1/accounts")).ToJsonString());
    }

    [Fact]
    public async Task Admin_keys_of_other_accounts_are_no_operators()
    {
        using var other = host.ClientWith((string)(await NewAccountAsync(new { name = "Other" }))["key"]!);
        foreach (var path in new[] { "/api/v1/accounts", "/metrics" })
        {
            var problem = await (await other.GetAsync(path, Api.Cancel)).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
            Assert.Contains("operator", (string?)problem["detail"]);
        }

        await (await other.PostAsync("/api/v1/accounts", new { name = "Mine" })).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        // All accounts use the same backbones.
        await (await other.PostAsync("/api/v1/backbones", new { })).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        await (await other.DeleteAsync("/api/v1/backbones/headstart-small", Api.Cancel))
            .ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        using var noAdmin = await host.ClientWithScopesAsync("read", "write");
        await (await noAdmin.GetAsync("/api/v1/accounts", Api.Cancel)).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
    }

    [Fact]
    public async Task Quotas_come_from_the_settings_unless_they_are_given_and_are_changed_all_together()
    {
        var account = await NewAccountAsync(new { name = "Defaults" });
        Assert.Equal("""{"images":7,"bytes":null,"models":3,"predictionsPerDay":null,"concurrentRuns":null}""", account["quotas"]!.ToJsonString());
        var given = await NewAccountAsync(new { name = "Given", quotas = new { bytes = 5 } });
        Assert.Equal((null, 5), ((int?)given["quotas"]!["images"], (int?)given["quotas"]!["bytes"]));

        var path = $"/api/v1/accounts/{account["id"]}";
        var changed = await (await host.Client.SendAsync(HttpMethod.Patch, path, new { name = "Renamed" })).JsonAsync();
        Assert.Equal(("Renamed", 7), ((string?)changed["name"], (int?)changed["quotas"]!["images"]));
        changed = await (await host.Client.SendAsync(HttpMethod.Patch, path, new { quotas = new { predictionsPerDay = 9 } })).JsonAsync();
        Assert.Equal(((int?)null, 9), ((int?)changed["quotas"]!["images"], (int?)changed["quotas"]!["predictionsPerDay"]));
        Assert.Equal(changed.ToJsonString(), (await host.Client.GetJsonAsync(path)).ToJsonString());
        Assert.Equal(changed.ToJsonString(), (await host.Client.GetJsonAsync("/api/v1/accounts?limit=200"))["items"]!.AsArray()
            .Single(a => (string?)a!["id"] == (string?)account["id"])!.ToJsonString());
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused()
    {
        await (await host.Client.PostAsync("/api/v1/accounts", new { name = "" }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-name");
        await (await host.Client.PostAsync("/api/v1/accounts", new { name = "n", quotas = new { images = -1 } }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-quotas");
        foreach (var (method, body) in new (HttpMethod, object?)[] { (HttpMethod.Get, null), (HttpMethod.Patch, new { name = "n" }),
            (HttpMethod.Delete, null) })
        {
            await (await host.Client.SendAsync(method, $"/api/v1/accounts/{Guid.Empty}", body))
                .ProblemAsync(HttpStatusCode.NotFound, "account-not-found");
        }
    }

    [Fact]
    public async Task An_account_is_deleted_once_it_has_no_models_and_the_first_one_never()
    {
        var account = await NewAccountAsync(new { name = "Short-lived" });
        using var client = host.ClientWith((string)account["key"]!);
        var model = await client.NewModelAsync("cats");
        var path = $"/api/v1/accounts/{account["id"]}";

        await (await host.Client.SendAsync(HttpMethod.Delete, path)).ProblemAsync(HttpStatusCode.Conflict, "account-has-models");
        Assert.Equal(HttpStatusCode.NoContent, (await client.SendAsync(HttpMethod.Delete, model)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await host.Client.SendAsync(HttpMethod.Delete, path)).StatusCode);

        await (await client.GetAsync("/api/v1/models", Api.Cancel)).ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
        var first = (await host.Client.GetJsonAsync("/api/v1/accounts?limit=200"))["items"]!.AsArray().Single(a => (bool)a!["operator"]!)!;
        await (await host.Client.SendAsync(HttpMethod.Delete, $"/api/v1/accounts/{first["id"]}"))
            .ProblemAsync(HttpStatusCode.Conflict, "operator-account");
    }

    private async Task<JsonNode> NewAccountAsync(object wish) =>
        await (await host.Client.PostAsync("/api/v1/accounts", wish)).JsonAsync(HttpStatusCode.Created);

    public sealed class HostWithQuotas(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:Quotas:Images", "7"), ("Headstart:Quotas:Models", "3")];
    }
}
