using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Metrics;

/// <summary>Prometheus, as Debian has it (<c>apt-get install prometheus</c>), which scrapes one host every second.</summary>
internal sealed partial class Prometheus : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _address = new();
    private HttpClient? _client;

    private Prometheus(Uri host)
    {
        var file = _folder.Below("prometheus.yml");
        File.WriteAllText(file, $"""
            global:
              scrape_interval: 1s
            scrape_configs:
              - job_name: headstart
                authorization:
                  credentials: {Api.Key}
                static_configs:
                  - targets: ['{host.Authority}']
            """);
        _process = Process.Start(new ProcessStartInfo("prometheus",
            [$"--config.file={file}", $"--storage.tsdb.path={_folder.Below("data")}", "--web.listen-address=127.0.0.1:0"])
        {
            RedirectStandardError = true,
        })!;
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                _address.TrySetException(new InvalidOperationException("Prometheus ended before it listened."));
            }
            else if (Listening().Match(line.Data) is { Success: true } match)
            {
                _address.TrySetResult(new($"http://{match.Groups[1].Value}"));
            }
        };
        _process.BeginErrorReadLine();
    }

    /// <summary>Returns when it listens.</summary>
    public static async Task<Prometheus> StartAsync(Uri host)
    {
        var prometheus = new Prometheus(host);
        prometheus._client = new HttpClient { BaseAddress = await prometheus._address.Task.WaitAsync(Patience, Api.Cancel) };
        return prometheus;
    }

    /// <summary>Whether the expression has a value now.</summary>
    public async Task<bool> HasDataAsync(string expression)
    {
        using var asked = new FormUrlEncodedContent([new("query", expression)]);
        var answer = await (await _client!.PostAsync("/api/v1/query", asked, Api.Cancel)).JsonAsync();
        return answer["data"]!["result"]!.AsArray().Any(series => (string)series!["value"]![1]! != "NaN");
    }

    /// <summary>What was wrong with the last page, if anything was.</summary>
    public async Task<string> ScrapeErrorAsync() =>
        (string)(await _client!.GetJsonAsync("/api/v1/targets"))["data"]!["activeTargets"]![0]!["lastError"]!;

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    [GeneratedRegex(@"address=(127\.0\.0\.1:[1-9]\d*)")]
    private static partial Regex Listening();
}
