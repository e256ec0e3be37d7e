using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Headstart.Tests.Access;
using Headstart.Tests.Postgres;
using Headstart.Tests.Predictions;

namespace Headstart.Tests.Metrics;

public sealed partial class MetricsTests(TrainedHost host, TestPostgres postgres) : IClassFixture<TrainedHost>
{
    [Fact]
    public async Task The_page_lists_what_the_engine_measures()
    {
        await (await host.Client.PostAsync($"{host.Model}/predictions", Api.Raw(await File.ReadAllBytesAsync(Pets.Cats[^1], Api.Cancel)),
            Api.Cancel)).JsonAsync();

        var page = await host.Client.GetStringAsync("/metrics", Api.Cancel);

        foreach (var name in new[]
        {
            "headstart_queue_length", "headstart_queue_size_bytes", "headstart_queue_duration_seconds_bucket",
                "headstart_decode_duration_seconds_bucket",
            "headstart_head_duration_seconds_bucket", "headstart_heads_lookups_total", "http_server_request_duration_seconds_bucket",
        })
        {
            Assert.Contains($"\n{name}", page);
        }

        Assert.Matches(@"\nheadstart_forward_duration_seconds_count\{[^}]*backbone=""headstart-small""[^}]*\} [1-9]", page);
        Assert.Matches(@"\nheadstart_features_lookups_total\{[^}]*backbone=""headstart-small""[^}]*result=""miss""[^}]*\} [1-9]", page);
    }

    [Fact]
    public async Task A_host_that_ends_takes_its_own_measurements_along_and_no_others()
    {
        var first = new TestHost(postgres);
        await first.InitializeAsync();
        await using var second = new TestHost(postgres);
        await second.InitializeAsync();
        await second.Client.GetStringAsync("/health/ready", Api.Cancel);
        Assert.Contains("http_route=\"/health/ready\"", await second.Client.GetStringAsync("/metrics", Api.Cancel));

        await first.DisposeAsync();

        for (var page = 0; page < 2; page++)
        {
            await Task.Delay(500, Api.Cancel); // a page is kept for 300 ms
            Assert.Contains("http_route=\"/health/ready\"", await second.Client.GetStringAsync("/metrics", Api.Cancel));
        }
    }

    [Fact]
    public async Task Everything_that_the_dashboard_and_the_scaling_of_workers_ask_for_is_measured()
    {
        await (await host.Client.PostAsync($"{host.Model}/predictions", Api.Raw(await File.ReadAllBytesAsync(Pets.Dogs[^1], Api.Cancel)),
            Api.Cancel)).JsonAsync();
        var dashboard = await File.ReadAllTextAsync(Repository.PathOf("deploy", "grafana-dashboard.json"), Api.Cancel);
        var panels = JsonNode.Parse(dashboard)!["panels"]!.AsArray().SelectMany(panel => panel!["targets"]!.AsArray())
            .Select(target => (string)target!["expr"]!).ToList();
        var asked = panels.SelectMany(expression => Name().Matches(expression)).Select(m => m.Value)
            .Concat(Name().Matches(await File.ReadAllTextAsync(Repository.PathOf("deploy", "kubernetes", "worker.yaml"), Api.Cancel))
                .Select(m => m.Value))
            .Except(["headstart_training_backlog", // made of headstart_backlog by whoever hands it to Kubernetes
                "headstart_predictions_refused_total"]) // there from the first refusal on, see QueueTests
            .ToHashSet();
        Assert.True(asked.Count > 10);

        var page = "";
        for (var looks = 0; looks < 200 && !NothingQueued().IsMatch(page); looks++)
        {
            // What waits is counted a moment after the start and every 5 s: the run that trained this model may be in the count.
            page = await host.Client.GetStringAsync("/metrics", Api.Cancel);
            await Task.Delay(50, Api.Cancel);
        }

        Assert.All(asked, name => Assert.Matches($@"\n{name}[ {{]", page));
        // Prometheus compares the whole label.
        var routes = panels.SelectMany(expression => Route().Matches(expression)).Select(m => m.Groups[1].Value).Distinct().ToList();
        Assert.NotEmpty(routes);
        Assert.All(routes, route => Assert.Matches($@"\nhttp_server_request_duration_seconds_bucket\{{[^}}]*http_route=""{route}""", page));
        Assert.Matches(NothingQueued(), page);
    }

    [GeneratedRegex(@"\b(headstart|http_server|kestrel|dotnet)_[a-z_]+")]
    private static partial Regex Name();

    [GeneratedRegex(@"\nheadstart_backlog\{[^}]*kind=""training""[^}]*state=""queued""[^}]*\} 0")]
    private static partial Regex NothingQueued();

    [GeneratedRegex("http_route=~\"([^\"]+)\"")]
    private static partial Regex Route();

    [Fact]
    public async Task It_is_for_holders_of_an_admin_key()
    {
        var (_, secret) = await host.NewKeyAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.ClientWith(null).GetAsync("/metrics", Api.Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.ClientWith(secret).GetAsync("/metrics", Api.Cancel)).StatusCode);
    }
}
