using System.Diagnostics;
using Headstart.Data;
using Headstart.Tests.Data;

namespace Headstart.Tests.Deploy;

/// <summary>nginx with the very file of <c>deploy/</c>, in front of nodes of a test.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;

    public Nginx(Uri first, Uri second)
    {
        Address = new($"http://127.0.0.1:{Enumerable.Range(0, 200).Select(_ => Random.Shared.Next(20_000, 30_000)).First(LocalPostgresPort.IsFree)}");
        var configuration = File.ReadAllText(Repository.PathOf("deploy", "nginx.conf"))
            .Replace("web-1:8080", first.Authority, StringComparison.Ordinal).Replace("web-2:8080", second.Authority, StringComparison.Ordinal)
            .Replace("listen 8080", $"listen {Address.Authority}", StringComparison.Ordinal)
            .Replace("worker_processes auto", "worker_processes 1", StringComparison.Ordinal)
            .Replace("/tmp/nginx", _folder.Path.Replace(" ", "\\ ", StringComparison.Ordinal) + "/nginx", StringComparison.Ordinal);
        File.WriteAllText(_folder.Below("nginx.conf"), configuration);
        var start = new ProcessStartInfo("nginx", ["-p", _folder.Path, "-c", _folder.Below("nginx.conf"), "-g", $"daemon off; {(Environment.UserName == "root" ? "user root;" : "")}"])
        {
            RedirectStandardError = true,
        };
        start.Environment["PATH"] += ":/usr/sbin"; // where Debian has it, and not everybody looks
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Output += line.Data + "\n";
        _process.BeginErrorReadLine();
    }

    public Uri Address { get; }

    public string Output { get; private set; } = "";

    public HttpClient Client(HttpMessageHandler? handler = null)
    {
        var client = new HttpClient(handler ?? new SocketsHttpHandler()) { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Api.Key);
        return client;
    }

    /// <summary>Until it listens.</summary>
    public async Task StartAsync()
    {
        using var client = Client();
        for (var looks = 0; ; looks++)
        {
            try
            {
                (await client.GetAsync("/health/live", Api.Cancel)).Dispose();
                return;
            }
            catch (HttpRequestException) when (looks < 200)
            {
                Assert.False(_process.HasExited, $"nginx ended: {Output}");
                await Task.Delay(50, Api.Cancel);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (var stop = Process.Start("kill", ["-QUIT", $"{_process.Id}"]))
        {
            await stop.WaitForExitAsync(CancellationToken.None);
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        _folder.Dispose();
    }
}
