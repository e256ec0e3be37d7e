using System.Diagnostics;
using System.Threading.Channels;

namespace Headstart.Benchmarks.Serving;

/// <summary>A program that runs until it is disposed. It is first asked to stop, because the host must stop its PostgreSQL as
/// well.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly List<string> _errors = [];

    private ServerProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => _ = line.Data is { } text ? _lines.Writer.TryWrite(text) : _lines.Writer.TryComplete();
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.Add(line.Data ?? "");
            }
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Physical memory in MiB.</summary>
    public double MemoryMb
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / (double)(1 << 20);
        }
    }

    /// <summary>CPU seconds on all cores.</summary>
    public double CpuSeconds
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalSeconds;
        }
    }

    public static ServerProcess Start(string program, IEnumerable<string> arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new(Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start."));
    }

    /// <summary>The next line of its output that meets this condition.</summary>
    /// <exception cref="InvalidOperationException">It ended without one; the message contains its output.</exception>
    public async Task<string> LineAsync(Func<string, bool> wanted)
    {
        using var patience = new CancellationTokenSource(10 * Patience);
        await foreach (var line in _lines.Reader.ReadAllAsync(patience.Token))
        {
            if (wanted(line))
            {
                return line;
            }
        }

        throw Ended();
    }

    /// <summary>Waits until a server listens at the address.</summary>
    public async Task ListensAsync(HttpClient client, Uri address)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(address, patience.Token);
                return; // any answer to a GET will do
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                await Task.Delay(200, patience.Token);
            }
            catch (HttpRequestException)
            {
                throw Ended();
            }
        }
    }

    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: false);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited && !OperatingSystem.IsWindows())
        {
            using var signal = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private InvalidOperationException Ended()
    {
        lock (_errors)
        {
            return new($"{_process.StartInfo.FileName} ended: {string.Join(' ', _errors.TakeLast(8))}");
        }
    }
}
