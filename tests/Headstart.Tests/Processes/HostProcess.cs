using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Headstart.Disk;
using Headstart.Postgres;
using Headstart.Tests.Postgres;
using Npgsql;

namespace Headstart.Tests.Processes;

/// <summary>
/// The built program as its users start it: a process with a data folder, its own PostgreSQL and nothing configured but the address. It can
/// be killed and started again on the same folder.
/// </summary>
public sealed partial class HostProcess : IAsyncDisposable
{
    public static readonly string Built = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Headstart.exe"
        : "Headstart");

    /// <summary>null where nothing was published.</summary>
    public static readonly string? Published = System.Environment.GetEnvironmentVariable("HEADSTART_PROGRAM");

    private readonly StringBuilder _output = new();
    private Process? _process;

    public TemporaryFolder Folder { get; } = new();

    public string DataFolder => Folder.Below("data");

    public Dictionary<string, string> Environment { get; } = new()
    {
        ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePort()}",
        ["Headstart__BootstrapKey"] = Api.Key,
        ["Headstart__Postgres__Fsync"] = "false", // programs die in tests and machines do not: what was written is in the kernel
    };

    /// <summary>The first start makes its database itself.</summary>
    public bool FromNothing { get; init; }

    public string Program { get; init; } = Published ?? Built;

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>A command that becomes the program (by exec), such as <c>setpriv</c>; the program's path and arguments follow.</summary>
    public IReadOnlyList<string> Through { get; init; } = [];

    public HttpClient Client { get; private set; } = new();

    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public int Id => _process!.Id;

    /// <summary>Starts the program and waits until it says that it is ready.</summary>
    public async Task StartAsync()
    {
        if (!FromNothing && !OperatingSystem.IsWindows() && Environment.ContainsKey("Headstart__BootstrapKey")
            && !Environment.ContainsKey("ConnectionStrings__Headstart") && !Path.Exists(Path.Combine(DataFolder, "postgres")))
        {
            await PreparedDatabase.CopyToAsync(this);
        }

        using var waiting = Waits.For("a start of the program");
        Launch();
        Client = new() { BaseAddress = new Uri(Environment["ASPNETCORE_URLS"]) };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Api.Key);
        for (var looks = 0; !Output.Contains("Headstart is ready.", StringComparison.Ordinal); looks++)
        {
            Assert.True(looks < 2_400, $"The host does not get ready: {Output}");
            Assert.False(_process!.HasExited, $"The host ended while it started: {Output}");
            await Task.Delay(50, Api.Cancel);
        }
    }

    /// <summary>Starts the program where it is expected to refuse, and returns its exit code and what it printed.</summary>
    /// <param name="arguments">In place of <see cref="Arguments"/>.</param>
    public async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        Launch(arguments);
        return (await ExitAsync(), Output);
    }

    public async Task<int> ExitAsync()
    {
        using var waiting = Waits.For("an end of the program");
        // Not a measurement: a host that never ends would otherwise hang the whole test run.
        await _process!.WaitForExitAsync(Api.Cancel).WaitAsync(TimeSpan.FromMinutes(3), Api.Cancel);
        return _process.ExitCode;
    }

    /// <summary>Ends the host as a power cut would; its database server stays behind.</summary>
    public async Task KillAsync()
    {
        _process!.Kill(entireProcessTree: false);
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>
    /// Ctrl-C. Whoever starts the tests in the background (<c>.ci/run &amp;</c>) makes them and all they start deaf to it; then it is
    /// SIGTERM, which the host takes in the same way.
    /// </summary>
    public void Interrupt()
    {
        var ignored = SigIgn().Match(File.ReadAllText($"/proc/{Id}/status")) is { Success: true } mask
            && (Convert.ToUInt64(mask.Groups[1].Value, 16) & 0b10) != 0;
        using var kill = Process.Start("kill", [ignored ? "-TERM" : "-INT", $"{Id}"]);
        kill.WaitForExit();
    }

    /// <summary>The host's database servers, wherever it had to put them: their command line names the cluster's folder.</summary>
    public IEnumerable<Process> DatabaseServers()
    {
        var place = new DirectoryInfo(Path.Combine(DataFolder, "postgres"));
        var folder = (place.Exists ? place.ResolveLinkTarget(returnFinalTarget: true) : null)?.FullName ?? place.FullName;
        return Process.GetProcessesByName("postgres")
            .Where(server => OwnPostgres.CommandLine(server).Contains(folder, StringComparison.Ordinal));
    }

    public int Postmaster() => int.Parse(File.ReadLines(Path.Combine(DataFolder, "postgres", "cluster", "postmaster.pid")).First());

    /// <summary>A connection to the host's own database.</summary>
    public async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = int.Parse(await File.ReadAllTextAsync(Path.Combine(DataFolder, "postgres", "port"), Api.Cancel)),
            Database = "headstart",
            Username = "headstart",
            Password = (await File.ReadAllTextAsync(Path.Combine(DataFolder, "postgres.password"), Api.Cancel)).Trim(),
            Pooling = false,
        }.ConnectionString);
        await connection.OpenAsync(Api.Cancel);
        return connection;
    }

    public long ResidentKilobytes() =>
        long.Parse(ResidentLine().Match(File.ReadAllText($"/proc/{Id}/status")).Groups[1].Value);

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }

        foreach (var server in DatabaseServers().ToList())
        {
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"The last start of the program printed:\n{Output}"); // shown where the test failed
        _process?.Dispose();
        Client.Dispose();
        Folder.Dispose();
    }

    private void Launch(params string[] arguments)
    {
        string[] command = [.. Through, Program, .. arguments.Length > 0 ? arguments : Arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder.Path,
        };
        start.Environment["Headstart__DataDirectory"] = DataFolder;
        start.Environment["DOTNET_TieredPGO"] = "0"; // it ends before that pays
        start.Environment["DOTNET_TC_CallCountThreshold"] = "3E8"; // 1,000 calls, in hex, before code is compiled again
        start.Environment["DOTNET_TC_CallCountingDelayMs"] = "3E8"; // and not while it starts
        start.Environment["Headstart__Backbones__Download"] = "false"; // no test reaches beyond this machine
        start.Environment["Headstart__Backbones__Bundled"] = "false"; // as in TestHost
        start.Environment["Headstart__Backbones__EightBit"] = "false";
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }

        lock (_output)
        {
            _output.Clear();
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
        {
            return; // one of the two streams has ended
        }

        lock (_output)
        {
            _output.AppendLine(line.Data);
        }
    }

    /// <summary>
    /// Below the ports that systems hand out for outgoing connections: one of those could be taken, by any connection of another test,
    /// before the program listens on it or while it is down.
    /// </summary>
    internal static int FreePort() => Enumerable.Range(0, 200).Select(_ => Random.Shared.Next(10_000, 20_000))
        .First(LocalPostgresPort.IsFree);

    [GeneratedRegex(@"SigIgn:\s+([0-9a-f]+)")]
    private static partial Regex SigIgn();

    [GeneratedRegex(@"VmRSS:\s+(\d+) kB")]
    private static partial Regex ResidentLine();
}
