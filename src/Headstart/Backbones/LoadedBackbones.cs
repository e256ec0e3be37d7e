using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;
using Headstart.Learning.Native;

namespace Headstart.Backbones;

/// <summary>
/// The backbones of this host: one open ONNX Runtime session each, shared by all models and requests. Loaded at start; more may be added
/// while the host runs.
/// </summary>
public sealed partial class LoadedBackbones(Settings settings, DataPaths paths, HostCatalogue catalogue,
    ILogger<LoadedBackbones> log) : IDisposable
{
    private readonly Lock _gate = new(); // for writers; readers need no lock
    private volatile IReadOnlyList<Backbone> _all = [];

    /// <summary>True once every backbone, except those from packages, has answered a warm-up image.</summary>
    public bool IsWarm { get; private set; }

    /// <summary>Completes when the backbones from packages are loaded, too. The start does not wait for them.</summary>
    public Task Bundled { get; private set; } = Task.CompletedTask;

    /// <summary>Cheapest first.</summary>
    public IReadOnlyList<Backbone> All => _all;

    public string OwnFolder => paths.Backbones;

    public Backbone? Find(string id) => _all.FirstOrDefault(b => b.Manifest.Id == id);

    /// <summary>The recipe with this id (a backbone's, or several joined with +); null if this host lacks part of it.</summary>
    public FeatureRecipe? FindRecipe(string id) => FeatureRecipe.Parse(id, All);

    /// <summary>What to do when the host has no backbone.</summary>
    public string HowToGetOne => "Download one (command: Headstart backbones fetch mobilenetv3-small-075), register one (POST "
        + $"/api/v1/backbones), or copy one (an .onnx file with its .json manifest) into {OwnFolder} or a folder listed in "
        + "Headstart:Backbones:Directories and restart the host.";

    /// <summary>Opens and measures every backbone in the folders; unusable ones are logged and left out.</summary>
    /// <exception cref="StartupException">The settings ask for a GPU that cannot be used.</exception>
    public void Open()
    {
        UseDevice();
        Directory.CreateDirectory(paths.RegisteredBackbones);
        Open([BackboneFolders.BuiltIn, .. settings.Backbones.Directories, OwnFolder, paths.RegisteredBackbones]);
        if (settings.Backbones.Bundled && Directory.Exists(BackboneFolders.Bundled))
        {
            Bundled = Task.Run(() =>
            {
                Open([BackboneFolders.Bundled]);
                ProcessMemory.Trim(); // reading a network takes several times its size, which is no longer needed
            });
        }

        // Decoders load libraries with their first pictures: better now than during the first requests.
        var picture = ImageReader.Png(new byte[3 * 64 * 64], 64, 64);
        CentreSquare.Of(picture, 32).Dispose();
        CentreSquare.Of(ImageReader.Thumbnail(picture, 64), 32).Dispose();
        IsWarm = true;
        if (_all.Count == 0)
        {
            Log.None(log, HowToGetOne);
        }
    }

    private void UseDevice()
    {
        if (settings.Device == Settings.Cpu || (settings.Device == Settings.Auto && !OnnxRuntime.HasCuda))
        {
            return;
        }

        var problem = OnnxRuntime.UseCuda();
        if (problem is null)
        {
            Log.OnGpu(log);
        }
        else if (settings.Device == Settings.Cuda)
        {
            throw new StartupException($"Headstart:Device is cuda. {problem} Or set it to auto or cpu.");
        }
        else
        {
            Log.Problem(log, $"Backbones run on the CPU. {problem}");
        }
    }

    private void Open(IEnumerable<string> folders)
    {
        var (files, problems) = BackboneFolders.Find(folders, catalogue.Entries);
        foreach (var problem in problems)
        {
            Log.Problem(log, problem);
        }

        foreach (var file in files)
        {
            try
            {
                Take(file);
            }
            catch (BackboneException e)
            {
                Log.Problem(log, e.Message);
            }
        }
    }

    /// <summary>Opens and measures a backbone and makes it available. If one with this id is already loaded, it stays.</summary>
    /// <exception cref="BackboneException">It cannot be used.</exception>
    public Backbone Take(BackboneFile file)
    {
        // extraction uses the cores for several images at once
        var backbone = Backbone.Open(file, threads: 1, stages: true);
        backbone.Measure();
        lock (_gate)
        {
            if (Find(file.Manifest.Id) is { } before)
            {
                backbone.Dispose();
                return before;
            }

            Return(backbone);
        }

        Log.Opened(log, backbone.Manifest.Id, backbone.MsPerImage);
        return backbone;
    }

    /// <summary>
    /// Makes it unavailable. A run or prediction may still be using it, so it is not disposed: the finalizer closes the session after the
    /// last of them.
    /// </summary>
    public void Remove(Backbone backbone)
    {
        lock (_gate)
        {
            _all = [.. _all.Where(b => b != backbone)];
        }
    }

    /// <summary>Makes a removed backbone available again.</summary>
    public void Return(Backbone backbone)
    {
        lock (_gate)
        {
            _all = [.. _all.Append(backbone).OrderBy(b => b.MsPerImage)];
        }
    }

    public void Dispose()
    {
        Task.WhenAny(Bundled).Wait(); // ONNX Runtime must not be at work when the process ends
        foreach (var backbone in _all)
        {
            backbone.Dispose();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Backbone {Id} is ready: {MsPerImage:0.0} ms per image")]
        public static partial void Opened(ILogger log, string id, double msPerImage);

        [LoggerMessage(Level = LogLevel.Information, Message = "Backbones run on a GPU, through CUDA")]
        public static partial void OnGpu(ILogger log);

        [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
        public static partial void Problem(ILogger log, string problem);

        [LoggerMessage(Level = LogLevel.Warning, Message = "No backbone found, so training is not possible yet. {HowToGetOne}")]
        public static partial void None(ILogger log, string howToGetOne);
    }
}
