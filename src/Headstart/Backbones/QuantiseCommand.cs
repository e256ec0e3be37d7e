using Headstart.Learning.Backbones;

namespace Headstart.Backbones;

/// <summary>
/// <c>backbones quantise ID FOLDER</c>: makes the 8-bit form of a backbone from the photographs below a folder and registers it if it is
/// worth using on this machine. A host finds it at its next start, and its runs try it instead of the original backbone.
/// </summary>
public static class QuantiseCommand
{
    public static bool Asked(string[] args) => args is ["backbones", "quantise", ..];

    /// <returns>Exit code: 0 if the 8-bit form was registered.</returns>
    /// <exception cref="StartupException">The 8-bit form cannot be made, or is not worth using; the message says why.</exception>
    public static int Run(string[] args, Settings settings)
    {
        if (args is not [_, _, var id, var photographs, ..] || photographs.StartsWith('-'))
        {
            throw new StartupException("Name a backbone and a folder of photographs: backbones quantise ID FOLDER.");
        }

        try
        {
            var paths = new DataPaths(DataFolder.Resolve(settings.DataDirectory));
            string[] folders = [BackboneFolders.BuiltIn, .. settings.Backbones.Bundled ? [BackboneFolders.Bundled] : Array.Empty<string>(),
                .. settings.Backbones.Directories, paths.Backbones, paths.RegisteredBackbones];
            var found = BackboneFolders.Find(folders.Where(Directory.Exists), new HostCatalogue(settings).Entries).Found;
            var made = EightBitBackbone.Make(Find(found, id), Photographs(photographs), paths.RegisteredBackbones);
            if (made.Refusal is { } refusal)
            {
                throw new BackboneException($"The 8-bit form of {id} was not kept: {refusal}.");
            }

            Directory.CreateDirectory(paths.RegisteredBackbones);
            var copy = Path.Combine(paths.RegisteredBackbones, $"{Guid.CreateVersion7():n}.upload");
            File.WriteAllBytes(copy, made.Network);
            var file = BackboneFolders.Place(copy, made.Manifest, paths.RegisteredBackbones);
            Console.WriteLine($"{made.Manifest.Id} is at {file.Path}: {made.MsPerImage:0.0} ms per image, "
                + $"{made.Speedup:0.0} times as fast; features {made.Likeness:0.000} similar (mean cosine)");
            return 0;
        }
        catch (Exception e) when (e is BackboneException or IOException or UnauthorizedAccessException)
        {
            throw new StartupException(e.Message, e);
        }
    }

    private static BackboneFile Find(IReadOnlyList<BackboneFile> found, string id)
    {
        if (found.FirstOrDefault(file => file.Manifest.Id == id + EightBitBackbone.Suffix) is { } before)
        {
            throw new BackboneException($"{before.Path} already has the id '{before.Manifest.Id}'; versions may need it. Delete it first.");
        }

        return found.FirstOrDefault(file => file.Manifest.Id == id) is { } known
            ? known.Manifest.QuantisedFrom is null ? known : throw new BackboneException($"{id} is already an 8-bit form.")
            : throw new BackboneException(
                $"This host has no backbone '{id}'. It has: {string.Join(", ", found.Select(file => file.Manifest.Id))}.");
    }

    /// <summary>A sample, with some from each subfolder, which is taken as a category.</summary>
    private static IEnumerable<byte[]> Photographs(string folder)
    {
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        var step = Math.Max(1, files.Length / EightBitBackbone.EnoughPhotographs);
        return files.Where((_, i) => i % step == 0).Select(File.ReadAllBytes);
    }
}
