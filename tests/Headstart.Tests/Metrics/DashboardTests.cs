using System.Net;
using System.Text.Json.Nodes;
using Headstart.Tests.Processes;

namespace Headstart.Tests.Metrics;

/// <summary>The Grafana dashboard of deploy/, asked as Grafana asks. The host has a process of its own: in that of the tests the meters of
/// all hosts share their names.</summary>
public sealed class DashboardTests
{
    private const int Rounds = 60; // of a second and more

    [Fact]
    public async Task Prometheus_finds_data_for_every_panel_after_real_traffic()
    {
        Needs.Time();
        Needs.Programs("prometheus");
        var dashboard = await File.ReadAllTextAsync(Repository.PathOf("deploy", "grafana-dashboard.json"), Api.Cancel);
        var waiting = JsonNode.Parse(dashboard)!["panels"]!.AsArray().SelectMany(panel => panel!["targets"]!.AsArray())
            .Select(target => ((string)target!["expr"]!).Replace("$__rate_interval", "20s", StringComparison.Ordinal)).ToList();
        Assert.True(waiting.Count > 10);
        await using var host = new HostProcess { Environment = { ["Headstart__Predictions__MaxWaiting"] = "1" } };
        await host.StartAsync();
        var model = await host.Client.PetsAsync(6);
        Assert.Equal("succeeded", (string?)(await host.Client.TrainAsync(model))["state"]);
        await using var prometheus = await Prometheus.StartAsync(host.Client.BaseAddress!);

        for (var round = 0; round < Rounds && waiting.Count > 0; round++)
        {
            await PredictAndRefuseAsync(host.Client, model, round);
            var left = new List<string>();
            foreach (var expression in waiting)
            {
                if (!await prometheus.HasDataAsync(expression))
                {
                    left.Add(expression);
                }
            }

            waiting = left;
            await Task.Delay(1_000, Api.Cancel);
        }

        Assert.True(waiting.Count == 0, $"No data for {string.Join("; ", waiting)} {await prometheus.ScrapeErrorAsync()}");
    }

    /// <summary>More images at once than may wait for a core, each another file, as known ones need none.</summary>
    private static async Task PredictAndRefuseAsync(HttpClient client, string model, int round)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 8 + Environment.ProcessorCount).Select(image => client.PostAsync(
            $"{model}/predictions", Api.Raw([.. Pets.Cat, (byte)round, (byte)image]), Api.Cancel)));
        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable));
    }
}
