using System.Text.Json.Nodes;
using Headstart.Learning.Backbones;

namespace Headstart.Benchmarks.Serving;

/// <summary>Size of the measurement.</summary>
/// <param name="Rounds">Rounds, of which the median counts; compared servers alternate in each.</param>
/// <param name="Photographs">Number of different photographs, a whole number of batches.</param>
/// <param name="OverloadSeconds">Duration of the overload.</param>
/// <param name="Models">Numbers of published models, in steps.</param>
/// <param name="Images">Numbers of extracted images, in steps.</param>
/// <param name="VectorsPerCategory">Synthetic feature vectors per category for a head of many categories.</param>
internal sealed record Scale(int Rounds, int Photographs, int OverloadSeconds, int[] Models, int[] Images, int VectorsPerCategory)
{
    public static readonly Scale Default = new(7, 112, 10, [10, 100, 1_000], [1_000, 10_000], 50);
    public static readonly Scale Quick = new(3, 48, 4, [10, 100], [500], 10);
    public static readonly Scale Full = Default with { Images = [1_000, 10_000, 100_000] };
}

/// <summary>Shared by all sections: a running host with one published model on one backbone, and photographs for it.</summary>
internal sealed class Bench : IAsyncDisposable
{
    public const string BackboneId = "mobilenetv2-1.0";

    private const string Set = "hymenoptera";

    private Bench(HostProcess host, string shared, Scale scale, BackboneFile? backbone)
    {
        (Host, Scale) = (host, scale);
        Data = Path.Combine(shared, "datasets", Set);
        Backbones = BackboneFolders.Find([BackboneFolders.BuiltIn, Path.Combine(shared, "backbones")]).Found;
        Backbone = backbone ?? Find(BackboneId);
        Photographs = new([.. ((string[])[Set, "cats_dogs"])
            .SelectMany(set => Directory.GetFiles(Path.Combine(shared, "datasets", set), "*.jp*g", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal).Where((_, i) => i % 4 == 0).Take(scale.Photographs).Select(File.ReadAllBytes)]);
    }

    public HostProcess Host { get; }

    public HttpClient Client => Host.Client;

    public Scale Scale { get; }

    /// <summary>A data set with folders <c>train</c> and <c>test</c>.</summary>
    public string Data { get; }

    public Photographs Photographs { get; }

    /// <summary>Path of the published model.</summary>
    public string Model { get; private set; } = "";

    /// <summary>The backbone of all comparisons: <see cref="BackboneId"/>, or its 8-bit form.</summary>
    public BackboneFile Backbone { get; }

    public JsonObject OneBackbone => new() { ["backbone"] = Backbone.Manifest.Id };

    private IReadOnlyList<BackboneFile> Backbones { get; }

    public static async Task<Bench> OpenAsync(string shared, Scale scale, bool eightBits = false)
    {
        var made = eightBits ? EightBits.Make(shared, BackboneId) : null;
        var folders = new List<string> { Path.Combine(shared, "backbones") };
        folders.AddRange(made is null ? [] : [Path.GetDirectoryName(made.Path)!]);
        var bench = new Bench(await HostProcess.StartAsync(shared, new()
        {
            ["Headstart__Backbones__Directories"] = string.Join(';', folders),
        }), shared, scale, made);
        try
        {
            bench.Model = await bench.Client.UploadAsync(bench.Files("train"));
            await bench.Client.TrainAsync(bench.Model, bench.OneBackbone);
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    public BackboneFile Find(string id) => Backbones.First(file => file.Manifest.Id == id);

    public IReadOnlyList<(string Category, byte[] File)> Files(string split) =>
        [.. Directory.GetFiles(Path.Combine(Data, split), "*.jp*g", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => (Path.GetFileName(Path.GetDirectoryName(file)!), File.ReadAllBytes(file)))];

    /// <summary>Predictions of the one model with this many clients.</summary>
    public Task<Load> PredictAsync(int concurrency, int count, bool stamped = true)
    {
        var target = Client.Predictions(Model);
        return Load.ClosedAsync(Client, _ => target, i => Photographs.Content(i, stamped), concurrency, count);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        if (Backbone.Manifest.QuantisedFrom is not null)
        {
            Directory.Delete(Path.GetDirectoryName(Backbone.Path)!, recursive: true);
        }
    }
}
