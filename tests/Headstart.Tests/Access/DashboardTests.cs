using System.Net;
using System.Text;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Access;

public sealed class DashboardTests(DashboardTests.HostWithDashboard host) : IClassFixture<DashboardTests.HostWithDashboard>
{
    [Fact]
    public async Task Without_a_key_a_browser_is_asked_for_one()
    {
        var response = await host.ClientWith(null).GetAsync("/hangfire", Api.Cancel);
        await response.ProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
        Assert.StartsWith("Basic", response.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task A_key_that_is_no_admin_key_does_not_open_it()
    {
        var (_, secret) = await host.NewKeyAsync();
        foreach (var path in new[] { "/hangfire", "/hangfire/jobs/enqueued", "/hangfire/stats" })
        {
            await (await host.ClientWith(secret).GetAsync(path, Api.Cancel)).ProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        }
    }

    [Fact]
    public async Task An_admin_key_as_user_name_opens_it()
    {
        using var client = host.ClientWith(null);
        client.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(TestHost.Key + ":")));
        var response = await client.GetAsync("/hangfire", Api.Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
    }

    public sealed class HostWithDashboard(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings => [.. base.Settings, ("Headstart:Dashboard", "true")];
    }
}
