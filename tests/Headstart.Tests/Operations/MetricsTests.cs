using System.Net;
using Headstart.Tests.Access;
using Headstart.Tests.Predictions;

namespace Headstart.Tests.Operations;

public sealed class MetricsTests(TrainedHost host) : IClassFixture<TrainedHost>
{
    [Fact]
    public async Task The_page_lists_what_the_engine_measures()
    {
        await (await host.Client.PostAsync($"{host.Model}/predictions", Api.Raw(SharedData.Cat), Api.Cancel)).JsonAsync();

        var page = await host.Client.GetStringAsync("/metrics", Api.Cancel);

        foreach (var name in new[]
        {
            "headstart_queue_length", "headstart_queue_size_bytes", "headstart_queue_duration_seconds_bucket", "headstart_decode_duration_seconds_bucket",
            "headstart_head_duration_seconds_bucket", "headstart_heads_lookups_total", "http_server_request_duration_seconds_bucket",
        })
        {
            Assert.Contains($"\n{name}", page);
        }

        Assert.Matches(@"\nheadstart_forward_duration_seconds_count\{[^}]*backbone=""squeezenet1\.1""[^}]*\} [1-9]", page);
        Assert.Matches(@"\nheadstart_features_lookups_total\{[^}]*backbone=""squeezenet1\.1""[^}]*result=""miss""[^}]*\} [1-9]", page);
    }

    [Fact]
    public async Task It_is_for_holders_of_an_admin_key()
    {
        var (_, secret) = await host.NewKeyAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.ClientWith(null).GetAsync("/metrics", Api.Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.ClientWith(secret).GetAsync("/metrics", Api.Cancel)).StatusCode);
    }
}
