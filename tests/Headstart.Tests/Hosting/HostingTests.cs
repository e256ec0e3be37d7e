using System.Net;
using Headstart.Data;
using Headstart.Tests.Backbones;
using Headstart.Tests.Uploads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Hosting;

[Collection<HostingHost>]
public sealed class HostingTests(TestHost host)
{
    [Theory]
    [InlineData("text/html")]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.1")]
    [InlineData("application/xml")]
    [InlineData("application/json;q=0")]
    [InlineData("nonsense")]
    [InlineData("")]
    public async Task Whatever_a_client_wants_to_accept_it_gets_json(string accept)
    {
        foreach (var (path, status, type) in new[]
        {
            ("/api/v1/models", HttpStatusCode.OK, "application/json"),
            ("/health/ready", HttpStatusCode.OK, "application/json"),
            ($"/api/v1/models/{Guid.CreateVersion7()}", HttpStatusCode.NotFound, "application/problem+json"),
            ("/api/v1/models?limit=x", HttpStatusCode.BadRequest, "application/problem+json"),
            ("/nothing", HttpStatusCode.NotFound, "application/problem+json"),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Accept", accept);
            var response = await host.Client.SendAsync(request, Api.Cancel);
            Assert.Equal((path, status, type), (path, response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        }
    }

    [Fact]
    public async Task Head_and_options_are_answered_everywhere_without_an_error_of_ours()
    {
        var model = await host.Client.NewModelAsync("cats");
        var image = (await host.Client.AddAsync(model, "cats", Pictures.Jpeg(1)))[0]!["id"];
        foreach (var path in new[] { "/", "/health/live", "/swagger", "/swagger/v1/swagger.json", "/api/v1/models", model,
            $"{model}/images", $"{model}/images/{image}/content", "/nothing" })
        {
            foreach (var method in new[] { HttpMethod.Head, HttpMethod.Options })
            {
                var response = await host.Client.SendAsync(method, path);
                Assert.True((int)response.StatusCode < 500, $"{method} {path}: {response.StatusCode}");
            }
        }
    }

    [Fact]
    public async Task An_error_of_ours_is_a_problem_with_a_trace_id_and_without_a_stack_trace()
    {
        var model = await host.Client.NewModelAsync("cats");
        await host.QueryAsync(db => db.Database.ExecuteSqlRawAsync("ALTER TABLE model_versions RENAME TO hidden", Api.Cancel));
        try
        {
            var problem = await (await host.Client.GetAsync($"{model}/versions", Api.Cancel))
                .ProblemAsync(HttpStatusCode.InternalServerError, "internal-error");
            Assert.NotEmpty((string)problem["traceId"]!);
            Assert.Equal(["type", "title", "status", "detail", "traceId"], problem.AsObject().Select(p => p.Key));
            Assert.DoesNotContain("model_versions", problem.ToJsonString());
        }
        finally
        {
            await host.QueryAsync(db => db.Database.ExecuteSqlRawAsync("ALTER TABLE hidden RENAME TO model_versions", Api.Cancel));
        }
    }

    [Fact]
    public async Task Without_a_database_to_talk_to_the_host_is_alive_and_not_ready_and_recovers()
    {
        var factory = host.Services.GetRequiredService<IDbContextFactory<HeadstartDb>>();
        var busy = new List<HeadstartDb>();
        try
        {
            while (busy.Count < 10) // all that the pool of a test host has
            {
                busy.Add(await factory.CreateDbContextAsync(Api.Cancel));
                await busy[^1].Database.OpenConnectionAsync(Api.Cancel);
            }

            using var client = host.ClientWith(null);
            await (await client.GetAsync("/health/ready", Api.Cancel)).ProblemAsync(HttpStatusCode.ServiceUnavailable, "not-ready");
            Assert.Equal("live", (string?)(await client.GetJsonAsync("/health/live"))["status"]);
        }
        finally
        {
            busy.ForEach(db => db.Dispose());
        }

        await host.Client.GetJsonAsync("/health/ready");
    }
}
