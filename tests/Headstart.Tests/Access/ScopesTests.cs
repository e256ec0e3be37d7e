using System.Net;
using Headstart.Access;
using Headstart.Data;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Access;

/// <summary>What a key may do, at every address there is.</summary>
public sealed class ScopesTests(ScopesTests.WholeHost host) : IClassFixture<ScopesTests.WholeHost>
{
    private static readonly string[] Predicting =
        ["predictions", "batch-predictions", "infer", "ModelInfer", "LabelFile", "LabelFiles", "LabelUrls"];
    private static readonly string[] ReadWithPost = ["/v2/repository/index", "/inference."]; // as the protocol has it
    private static readonly string[] OfAdmins =
        ["/api/v1/keys", "/api/v1/accounts", "/api/v1/audit", "/api/v1/backbones", "/api/v1/text-backbones", "/metrics", "/hangfire"];

    [Fact]
    public void Every_address_takes_a_key_unless_it_is_known_to_need_none()
    {
        foreach (var endpoint in Endpoints())
        {
            var open = endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null;
            Assert.True(open || endpoint.Metadata.GetMetadata<IAuthorizeData>() is not null,
                $"{endpoint.DisplayName} says nothing of keys");
            Assert.True(!open || endpoint.Metadata.GetMetadata<StaticAssetDescriptor>() is not null
                || Path(endpoint) is "/v2/" or "/v2/health/live" or "/v2/health/ready" or "/health/live" or "/health/ready" or "/session"
                    or "/session/end" or "/signin" or "/swagger/v1/swagger.json"
                    or "/inference.GRPCInferenceService/ServerLive" or "/inference.GRPCInferenceService/ServerReady"
                    or "/inference.GRPCInferenceService/ServerMetadata",
                $"{endpoint.DisplayName} is open");
        }
    }

    [Fact]
    public void Reading_needs_read_predicting_predict_keys_and_accounts_admin_and_all_the_rest_write()
    {
        foreach (var (endpoint, method, path) in Operations())
        {
            // The last part of a path, or the one before it: /predictions/image takes another kind of body.
            var wanted = path.TrimEnd('/').Split('/')[^2..].Any(Predicting.Contains) && method == "POST" ? "predict"
                : path.StartsWith("/metrics", StringComparison.Ordinal) || path.StartsWith("/hangfire", StringComparison.Ordinal)
                    || path.StartsWith("/api/v1/accounts", StringComparison.Ordinal) ? "operator"
                : OfAdmins.Any(start => path.StartsWith(start, StringComparison.Ordinal))
                    && (!path.Contains("backbones", StringComparison.Ordinal) || method != "GET") ? null
                : method is "GET" or "HEAD" || ReadWithPost.Any(start => path.StartsWith(start, StringComparison.Ordinal)) ? "read"
                : "write";
            var needed = Needed(endpoint, method);
            Assert.Equal(needed == "predict", endpoint.Metadata.GetMetadata<Spends>()?.Quotas.Contains(Quota.PredictionsPerDay) is true);
            Assert.True(wanted is null ? needed is "admin" or "operator" : wanted == needed, $"{method} {path}: {needed}");
        }
    }

    [Fact]
    public async Task A_key_without_the_scope_is_refused_everywhere_with_the_name_of_what_is_missing()
    {
        var all = new[] { "read", "predict", "write" };
        var without = new Dictionary<string, HttpClient>();
        foreach (var scope in all)
        {
            without[scope] = await host.ClientWithScopesAsync([.. all.Where(s => s != scope)]);
        }

        without["admin"] = without["operator"] = await host.ClientWithScopesAsync(all);
        var count = 0;
        foreach (var (endpoint, method, path) in Operations())
        {
            var needed = Needed(endpoint, method);
            using var answer = await without[needed].SendAsync(new HttpMethod(method), path);
            var text = await answer.Content.ReadAsStringAsync(Api.Cancel);
            Assert.True(IsForbidden(answer), $"{method} {path} without {needed}: {answer.StatusCode}");
            Assert.Contains(needed, answer.Headers.TryGetValues("grpc-message", out var sentence) ? sentence.Single() : text);
            count++;
        }

        Assert.True(count > 60, $"only {count}");
    }

    [Fact]
    public async Task A_key_that_may_only_predict_gets_predictions_and_nothing_else()
    {
        using var shop = await host.ClientWithScopesAsync("predict");
        foreach (var (endpoint, method, path) in Operations())
        {
            using var answer = await shop.SendAsync(new HttpMethod(method), path);
            Assert.True(Needed(endpoint, method) == "predict" != IsForbidden(answer),
                $"{method} {path}: {answer.StatusCode}");
            Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_key_shows_its_scopes_and_admin_is_all_of_them()
    {
        foreach (var (wish, scopes) in new (object, string[])[]
        {
            (new { name = "k" }, ["read", "predict", "write"]),
            (new { name = "k", scopes = new[] { "write", "read", "read" } }, ["read", "write"]),
            (new { name = "k", scopes = new[] { "admin" } }, ["read", "predict", "write", "admin"]),
            (new { name = "k", admin = true }, ["read", "predict", "write", "admin"]),
        })
        {
            var key = await (await host.Client.PostAsync("/api/v1/keys", wish)).JsonAsync(HttpStatusCode.Created);
            Assert.Equal(scopes, key["scopes"]!.AsArray().Select(s => (string)s!));
            Assert.Equal(scopes.Contains("admin"), (bool)key["admin"]!);
            Assert.Null(key["expiresAt"]);
            var listed = (await host.Client.GetJsonAsync("/api/v1/keys?limit=1"))["items"]![0]!;
            Assert.Equal(key["scopes"]!.ToJsonString(), listed["scopes"]!.ToJsonString());
        }
    }

    [Fact]
    public async Task Scopes_that_make_no_sense_are_refused()
    {
        await (await host.Client.PostAsync("/api/v1/keys", new { name = "k", scopes = Array.Empty<string>() }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-scopes");
        await (await host.Client.PostAsync("/api/v1/keys", new { name = "k", admin = true, scopes = new[] { "predict" } }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-scopes");
        await (await host.Client.PostAsync("/api/v1/keys", new { name = "k", scopes = new[] { "everything" } }))
            .ProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        await (await host.Client.PostAsync("/api/v1/keys", new { name = "k", expiresAt = "2020-01-01T00:00:00Z" }))
            .ProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid-expiry");
    }

    [Fact]
    public async Task A_key_ends_at_its_time_although_it_was_used_a_moment_ago()
    {
        var clock = host.Services.GetRequiredService<TimeProvider>();
        HttpResponseMessage made;
        DateTimeOffset end;
        var life = 1.5;
        do // on a busy machine a short life can be over before the key exists
        {
            end = clock.GetUtcNow().AddSeconds(life);
            made = await host.Client.PostAsync("/api/v1/keys", new { name = "k", expiresAt = end });
            life *= 2;
        }
        while (made.StatusCode == HttpStatusCode.UnprocessableEntity && life < 60);

        var key = await made.JsonAsync(HttpStatusCode.Created);
        Assert.Equal(end.UtcDateTime, ((DateTime)key["expiresAt"]!).ToUniversalTime(), TimeSpan.FromMilliseconds(1));
        using var client = host.ClientWith((string)key["key"]!);
        DateTimeOffset asked;
        HttpResponseMessage answer;
        do // all the time, so that it is among the keys that are remembered
        {
            asked = clock.GetUtcNow();
            answer = await client.GetAsync("/api/v1/models", Api.Cancel);
            Assert.False(answer.StatusCode == HttpStatusCode.OK && asked > end, "It outlives its time.");
        }
        while (answer.StatusCode == HttpStatusCode.OK);

        var problem = await answer.ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
        Assert.Contains("expired", (string?)problem["detail"]);
    }

    [Fact]
    public async Task The_last_admin_key_that_does_not_expire_cannot_be_revoked()
    {
        using var other = await host.OtherAccountAsync();
        var admin = (await other.GetJsonAsync("/api/v1/keys"))["items"]![0]!["id"];
        var soon = await (await other.PostAsync("/api/v1/keys", new { name = "k", admin = true, expiresAt = "2100-01-01T00:00:00Z" }))
            .JsonAsync(HttpStatusCode.Created);

        await (await other.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{admin}")).ProblemAsync(HttpStatusCode.Conflict, "last-admin-key");
        Assert.Equal(HttpStatusCode.NoContent, (await other.SendAsync(HttpMethod.Delete, $"/api/v1/keys/{soon["id"]}")).StatusCode);
    }

    /// <summary>403, or PERMISSION_DENIED of gRPC.</summary>
    private static bool IsForbidden(HttpResponseMessage answer) => answer.StatusCode == HttpStatusCode.Forbidden
        || (answer.Headers.TryGetValues("grpc-status", out var status) && status.Single() == "7");

    private IEnumerable<RouteEndpoint> Endpoints() => host.Services.GetRequiredService<EndpointDataSource>()
        .Endpoints.OfType<RouteEndpoint>();

    /// <summary>What takes a key in a header: all but the pages.</summary>
    private IEnumerable<(RouteEndpoint Endpoint, string Method, string Path)> Operations() =>
        from endpoint in Endpoints()
        where endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null && endpoint.Metadata.GetMetadata<ComponentTypeMetadata>() is null
        let path = Path(endpoint)
        where !path.StartsWith("/_", StringComparison.Ordinal)
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        select (endpoint, method, path);

    private static string Needed(Endpoint endpoint, string method)
    {
        var http = new DefaultHttpContext();
        http.SetEndpoint(endpoint);
        http.Request.Method = method;
        return Scopes.NeededFor(http);
    }

    private static string Path(RouteEndpoint endpoint) => "/"
        + string.Join('/', endpoint.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
    {
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { Name: "documentName" } => "v1",
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { Name: "path", IsCatchAll: true } => "a/b/infer",
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter
        when parameter.ParameterPolicies.Any(p => p.Content == "int") => "1",
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart => Guid.Empty.ToString(),
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
        _ => "",
    })))) + (endpoint.RoutePattern.RawText is { Length: > 1 } raw && raw.EndsWith('/') ? "/" : "");

    public sealed class WholeHost(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings => [.. base.Settings, ("Headstart:Dashboard", "true")];
    }
}
