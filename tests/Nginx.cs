using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Headstart.Tests;

/// <summary>nginx with the very file of <c>deploy/</c>, in front of two nodes on this machine. Debian: <c>apt-get install
/// nginx-light</c>.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("headstart-nginx-").FullName;
    private readonly Process _process;
    private string _output = "";

    private Nginx(string configuration, Uri first, Uri second)
    {
        Address = new($"http://127.0.0.1:{FreePort()}");
        var file = Path.Combine(_folder, "nginx.conf");
        File.WriteAllText(file, configuration
            .Replace("web-1:8080", first.Authority, StringComparison.Ordinal)
                .Replace("web-2:8080", second.Authority, StringComparison.Ordinal)
            .Replace("listen 8080", $"listen {Address.Authority}", StringComparison.Ordinal)
            .Replace("/tmp/nginx", Path.Combine(_folder, "nginx"), StringComparison.Ordinal));
        // As root it would give its work to an account that may not be there.
        var start = new ProcessStartInfo("nginx",
            ["-p", _folder, "-c", file, "-g", $"daemon off;{(Environment.UserName == "root" ? " user root;" : "")}"])
        {
            RedirectStandardError = true,
        };
        start.Environment["PATH"] += ":/usr/sbin"; // where Debian has it, and not everybody looks
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => _output += line.Data + "\n";
        _process.BeginErrorReadLine();
    }

    public Uri Address { get; }

    /// <summary>A configuration that writes into its own folder only.</summary>
    /// <param name="http">What is in <c>http { }</c>.</param>
    public static string Configuration(string http) => $$"""
        worker_processes 1;
        error_log /dev/stderr warn;
        pid /tmp/nginx.pid;
        events { worker_connections 256; }
        http {
            access_log off;
            client_body_temp_path /tmp/nginx-body; proxy_temp_path /tmp/nginx-proxy; fastcgi_temp_path /tmp/nginx-fastcgi;
            uwsgi_temp_path /tmp/nginx-uwsgi; scgi_temp_path /tmp/nginx-scgi;
            {{http}}
        }
        """;

    /// <summary>Returns when it listens.</summary>
    /// <param name="configuration">The text of <c>deploy/nginx.conf</c>, or of <see cref="Configuration"/>.</param>
    /// <param name="first">Takes the place of web-1.</param>
    /// <param name="second">Takes the place of web-2.</param>
    /// <exception cref="InvalidOperationException">It ended; the message has why.</exception>
    public static async Task<Nginx> StartAsync(string configuration, Uri first, Uri second)
    {
        var nginx = new Nginx(configuration, first, second);
        using var client = new HttpClient { BaseAddress = nginx.Address };
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                (await client.GetAsync("/health/live")).Dispose();
                return nginx;
            }
            catch (HttpRequestException) when (!nginx._process.HasExited && Stopwatch.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(50);
            }
            catch (HttpRequestException)
            {
                await nginx.DisposeAsync();
                throw new InvalidOperationException($"nginx does not listen: {nginx._output}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var stop = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            using var patience = new CancellationTokenSource(Patience);
            await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
