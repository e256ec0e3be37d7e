using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Headstart.Benchmarks.Serving;

internal enum PeerKind
{
    FastApi,
    Node,
}

/// <summary>A server that does the same as Headstart, written as a user would; see the folder Peers.</summary>
internal sealed class Peer : IAsyncDisposable
{
    private static readonly string[] Pythons = ["python3", "/usr/bin/python3"];

    private readonly ServerProcess _process;

    private Peer(PeerKind kind, int workers, ServerProcess process, Uri target) =>
        (Kind, Workers, _process, Target) = (kind, workers, process, target);

    public PeerKind Kind { get; }

    public int Workers { get; }

    public string Name => $"{(Kind == PeerKind.FastApi ? "FastAPI + torch + PIL" : "Node + onnxruntime + sharp")}, {Workers} "
        + $"{(Workers == 1 ? "process" : "processes")}";

    public Uri Target { get; }

    /// <summary>A Python with these modules, or null. With the reference BLAS torch takes three times as long, which would distort the
    /// comparison.</summary>
    public static string? Python(string modules) => Pythons.FirstOrDefault(python => Succeeds(python,
        ["-c", $"import {modules}; assert torch.backends.mkl.is_available() or 'openblas' in open('/proc/self/maps').read()"]));

    /// <summary>Whether the packages of the Node peer are installed.</summary>
    public static bool HasNode => Directory.Exists(Path.Combine(Folder, "node", "node_modules", "onnxruntime-node"))
        && Succeeds("node", ["--version"]);

    /// <summary>Folder of the peers' sources, where their packages are installed too.</summary>
    public static string Folder { get; } = Path.Combine(Checkout(), "tests", "Headstart.Benchmarks", "Peers");

    public static Task<Peer> StartFastApiAsync(HttpClient client, string python, string files, int workers)
    {
        var port = FreePort();
        return StartAsync(client, PeerKind.FastApi, workers, port, "/predict", ServerProcess.Start(python,
            ["-m", "uvicorn", "server:app", "--app-dir", Path.Combine(Folder, "fastapi"), "--port", $"{port}", "--workers", $"{workers}",
                "--log-level", "warning"],
            new() { ["PEER_FOLDER"] = files, ["PYTHONDONTWRITEBYTECODE"] = "1" }));
    }

    public static Task<Peer> StartNodeAsync(HttpClient client, string backbone, string files, int workers)
    {
        var port = FreePort();
        return StartAsync(client, PeerKind.Node, workers, port, "/",
            ServerProcess.Start("node", [Path.Combine(Folder, "node", "server.mjs")],
            new() { ["PEER_FOLDER"] = files, ["PEER_BACKBONE"] = backbone, ["PEER_PORT"] = $"{port}", ["PEER_WORKERS"] = $"{workers}" }));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static async Task<Peer> StartAsync(HttpClient client, PeerKind kind, int workers, int port, string path, ServerProcess process)
    {
        var target = new Uri($"http://127.0.0.1:{port}{path}");
        try
        {
            await process.ListensAsync(client, target);
            return new(kind, workers, process, target);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    private static bool Succeeds(string program, string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true
            });
            process!.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // no such program
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Checkout()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Service.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException(
                "The benchmark runs from a checkout: the peers' sources are there.");
        }

        return folder;
    }
}
