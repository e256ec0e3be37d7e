using System.Security.Cryptography;

namespace Headstart.Learning.Backbones;

/// <summary>Finds the backbones in folders on this machine.</summary>
public static class BackboneFolders
{
    /// <summary>The backbone that comes with the program: small, weaker than those of the catalogue, and always available.</summary>
    public const string BuiltInId = "headstart-small";

    /// <summary>Folder of the built-in backbone, beside the program.</summary>
    public static string BuiltIn => Path.Combine(AppContext.BaseDirectory, "backbones");

    /// <summary>Folder of the backbones that the build takes from packages: ResNet-18, and MiniLM in its subfolder <c>text</c>. Missing if
    /// the build leaves them out.</summary>
    public static string Bundled => Path.Combine(AppContext.BaseDirectory, "bundled");

    /// <summary>Finds every <c>*.onnx</c> directly in the directories. A file is described by its manifest (<c>name.json</c> beside it) or,
    /// without one, must be in a catalogue by its SHA-256. Of two with the same id the first one counts.</summary>
    /// <param name="directories">Directories to search.</param>
    /// <param name="catalogue">Known backbones besides the built-in catalogue.</param>
    /// <returns>What was found, and a sentence about each problem. Bad files never throw.</returns>
    public static (IReadOnlyList<BackboneFile> Found, IReadOnlyList<string> Problems) Find(
        IEnumerable<string> directories, IReadOnlyList<CatalogueEntry>? catalogue = null)
    {
        ArgumentNullException.ThrowIfNull(directories);
        var found = new Dictionary<string, BackboneFile>();
        var problems = new List<string>();
        foreach (var path in directories.SelectMany(directory => OnnxFiles(directory, problems)))
        {
            try
            {
                var file = Identify(path, catalogue ?? []);
                if (!found.TryAdd(file.Manifest.Id, file) && found[file.Manifest.Id].Manifest.Sha256 != file.Manifest.Sha256)
                {
                    problems.Add(
                        $"{path} is not used: {found[file.Manifest.Id].Path} is another backbone with the id '{file.Manifest.Id}'.");
                }
            }
            catch (Exception exception) when (exception is BackboneException or IOException or UnauthorizedAccessException)
            {
                problems.Add($"{path} is not used: {exception.Message.TrimEnd('.')}.");
            }
        }

        return ([.. found.Values], problems);
    }

    /// <summary>Moves a checked file, from the same file system, into a folder where <see cref="Find"/> will find it; the folder is created
    /// if missing.</summary>
    public static BackboneFile Place(string file, BackboneManifest manifest, string folder)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{manifest.Id}.onnx");
        // Manifest first: if the process dies after it, a manifest without a file is harmless, but a file without a manifest is unknown.
        // With a name of its own: a host may register and bring the same backbone at the same time.
        var described = Path.Combine(folder, Path.GetFileName(file) + ".new");
        File.WriteAllBytes(described, manifest.ToJson());
        File.Move(described, ManifestPath(path), overwrite: true);
        File.Move(file, path, overwrite: true);
        return new(manifest, path);
    }

    /// <summary>Undoes <see cref="Place"/>, in reverse order.</summary>
    public static void Remove(string id, string folder)
    {
        var path = Path.Combine(folder, $"{id}.onnx");
        File.Delete(path);
        File.Delete(ManifestPath(path));
    }

    private static string[] OnnxFiles(string directory, List<string> problems)
    {
        try
        {
            return [.. Directory.GetFiles(directory, "*.onnx").Order(StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            problems.Add($"The backbone directory {directory} does not exist.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            problems.Add($"The backbone directory '{directory}' cannot be read: {exception.Message.TrimEnd('.')}.");
        }

        return [];
    }

    private static BackboneFile Identify(string path, IReadOnlyList<CatalogueEntry> catalogue)
    {
        using var stream = File.OpenRead(path);
        var bytes = stream.Length;
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(stream));
        var known = Catalogue.Find(sha256) ?? catalogue.FirstOrDefault(entry => entry.Manifest.Sha256 == sha256);
        var manifest = ReadManifest(path) ?? known?.Manifest ?? throw new BackboneException(
            $"it is not in the catalogue (SHA-256 {sha256}) and has no manifest {Path.GetFileName(ManifestPath(path))} beside it; "
            + $"the program's verb makes one and takes it in: backbones add '{path}'");
        return manifest.Sha256 == sha256
            ? new BackboneFile(manifest with { Bytes = bytes }, path)
            : throw new BackboneException($"its SHA-256 is {sha256}, but its manifest says {manifest.Sha256}");
    }

    private static BackboneManifest? ReadManifest(string path)
    {
        if (!File.Exists(ManifestPath(path)))
        {
            return null;
        }

        try
        {
            return ManifestJson.Parse(File.ReadAllBytes(ManifestPath(path)));
        }
        catch (BackboneException exception)
        {
            throw new BackboneException($"its manifest cannot be used, {exception.Message}", exception);
        }
    }

    private static string ManifestPath(string path) => Path.ChangeExtension(path, ".json");
}
