using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;

namespace Headstart.Backbones;

/// <summary>
/// Word vectors and sentence networks from the backbone folders and their subfolder <c>text</c>, shared by all text models. Searched on
/// first use; ones registered later are added while the host runs.
/// </summary>
public sealed partial class LoadedTextBackbones(Settings settings, DataPaths paths, ILogger<LoadedTextBackbones> log) : IDisposable
{
    private readonly Lock _gate = new();
    private IReadOnlyList<RegisteredText>? _all;

    /// <summary>The loaded word vectors and sentence networks, as an immutable snapshot.</summary>
    public IReadOnlyList<RegisteredText> All
    {
        get
        {
            lock (_gate)
            {
                return _all ??= Find();
            }
        }
    }

    public RegisteredText? Find(string id) => All.FirstOrDefault(text => text.Id == id);

    /// <summary>Moves a checked file of word vectors to its place on the same file system and makes it available.</summary>
    /// <exception cref="TextFeaturesException">The file does not begin like word vectors.</exception>
    public RegisteredText Take(string file, string place)
    {
        lock (_gate)
        {
            _ = All; // searches the folders before the file is there
            File.Move(file, place, overwrite: true);
            var text = RegisteredText.Open(place);
            Return(text);
            return text;
        }
    }

    /// <summary>Makes it unavailable. A run or prediction may still be using it, so it is not disposed.</summary>
    public void Remove(RegisteredText text)
    {
        lock (_gate)
        {
            _all = [.. All.Where(t => t != text)];
        }
    }

    /// <summary>Makes it available, unless one with this id is already loaded.</summary>
    public void Return(RegisteredText text)
    {
        ArgumentNullException.ThrowIfNull(text);
        lock (_gate)
        {
            _all = Find(text.Id) is null ? [.. All, text] : All;
        }
    }

    private IReadOnlyList<RegisteredText> Find()
    {
        var (found, problems) = RegisteredText.Find([.. settings.Backbones.Bundled ? [BackboneFolders.Bundled] : Array.Empty<string>(),
            .. settings.Backbones.Directories, paths.Backbones, paths.RegisteredBackbones]);
        foreach (var problem in problems)
        {
            Log.Problem(log, problem);
        }

        return found;
    }

    public void Dispose()
    {
        foreach (var text in _all ?? [])
        {
            text.Dispose();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
        public static partial void Problem(ILogger log, string problem);
    }
}
