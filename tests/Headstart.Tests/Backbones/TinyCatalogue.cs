using System.Security.Cryptography;
using System.Text.Json;
using Headstart.Learning.Tests.Backbones;
using Headstart.Learning.Tests.Onnx;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Backbones;

/// <summary>A catalogue of small networks and the server that has them, which answers as the test wants it to.</summary>
internal sealed class TinyCatalogue : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackServer _server;
    private bool _disposed;

    /// <param name="recommended">The ids that runs fetch unasked.</param>
    /// <param name="others">Further ids.</param>
    public TinyCatalogue(string[] recommended, params string[] others)
    {
        _server = new(request => Answer(request, Id(request)));
        List(recommended, others);
    }

    /// <summary>How the server answers a request for the network of this id; as a good one would, unless a test says otherwise.</summary>
    public Func<LoopbackServer.Request, string, Task> Answer { get; set; } = FileAsync;

    /// <summary>The ids asked for so far.</summary>
    public IEnumerable<string> Asked => _server.Requests.Select(Id);

    /// <summary>Where the requests began to read.</summary>
    public IEnumerable<long?> From => _server.Requests.Select(r => r.From);

    /// <summary>The settings of a host that fetches from here.</summary>
    public IEnumerable<(string Name, string Value)> Settings =>
    [
        ("Headstart:Backbones:Directories", ""),
        ("Headstart:Backbones:Download", "true"),
        ("Headstart:Backbones:Catalogue", _folder.Below("catalogue.json")),
        ("Headstart:Backbones:Mirror", new Uri(_server.Address, "/").AbsoluteUri),
    ];

    /// <summary>Writes the catalogue anew.</summary>
    public void List(string[] recommended, params string[] others) =>
        File.WriteAllText(_folder.Below("catalogue.json"), JsonSerializer.Serialize(new
        {
            version = 1,
            backbones = recommended.Concat(others).Select(id => new
            {
                id,
                features = id == "unfit" ? 7 : 6,
                inputSize = TinyNetwork.Side,
                mean = new[] { 0, 0, 0 },
                std = new[] { 1, 1, 1 },
                source = "test",
                licence = "MIT",
                sha256 = Sha256(id),
                bytes = Network(id).Length,
                classifier = true,
                recommended = recommended.Contains(id),
                address = $"http://far.example/zoo/{id}.onnx",
            }),
        }));

    /// <summary>A network of its own for each id, large enough to break in the middle.</summary>
    public static byte[] Network(string id) => OddNetworks.Classifier(n =>
    {
        n.Model.Graph.Name = id;
        n.Weight(100_000); // used by nothing
    });

    public static string Sha256(string id) => Convert.ToHexStringLower(SHA256.HashData(Network(id)));

    public static Task FileAsync(LoopbackServer.Request request, string id) => request.FileAsync(Network(id));

    /// <summary>Sends half of the network, then waits.</summary>
    public static async Task HalfAsync(LoopbackServer.Request request, string id, Task forWhat)
    {
        var network = Network(id);
        await request.HeadAsync("200 OK", $"Content-Length: {network.Length}");
        await request.BodyAsync(network.AsMemory(0, network.Length / 2));
        await forWhat.WaitAsync(request.Stop);
        await request.BodyAsync(network.AsMemory(network.Length / 2));
    }

    /// <summary>Makes a program fetch from here.</summary>
    public void Use(Processes.HostProcess host)
    {
        foreach (var (name, value) in Settings)
        {
            host.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }
    }

    /// <summary>By each host that fetches from here, if need be.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _server.Dispose();
            _folder.Dispose();
        }
    }

    private static string Id(LoopbackServer.Request request) => Path.GetFileNameWithoutExtension(request.Path);
}
