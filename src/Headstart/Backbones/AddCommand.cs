using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;

namespace Headstart.Backbones;

/// <summary>
/// <c>backbones add FILE [--id=… --size=… --mean=… --std=… --licence=… --source=…]</c>: registers a user's own network ahead of time, as
/// <c>POST /api/v1/backbones</c> does on a running host, or word vectors (<c>.txt</c>, <c>.txt.gz</c>; only with <c>--id</c>). A running
/// host finds it at its next start.
/// </summary>
public static class AddCommand
{
    public static bool Asked(string[] args) => args is ["backbones", "add", _, ..];

    /// <returns>Exit code: 0 if the backbone was registered.</returns>
    /// <exception cref="StartupException">The file cannot be used; the message says why.</exception>
    public static int Run(string[] args, Settings settings)
    {
        try
        {
            var paths = new DataPaths(DataFolder.Resolve(settings.DataDirectory));
            if (RegisteredText.EndingOf(args[2]) is { } ending)
            {
                return AddWords(args[2], ending, CheckCommand.Given(args).Id, paths, settings);
            }

            var manifest = BackboneCheck.Run(args[2], CheckCommand.Given(args));
            Refuse(manifest, [BackboneFolders.Bundled, .. settings.Backbones.Directories, paths.Backbones, paths.RegisteredBackbones]);
            Directory.CreateDirectory(paths.RegisteredBackbones);
            var copy = Path.Combine(paths.RegisteredBackbones, $"{Guid.CreateVersion7():n}.upload");
            File.Copy(args[2], copy);
            var file = BackboneFolders.Place(copy, manifest, paths.RegisteredBackbones);
            Console.WriteLine($"{manifest.Id} is at {file.Path}: {manifest.Features} features, {manifest.MemoryPerImageMb} MB of memory "
                + "per image");
            return 0;
        }
        catch (Exception e) when (e is BackboneException or TextFeaturesException or IOException or UnauthorizedAccessException)
        {
            throw new StartupException(e.Message, e);
        }
    }

    private static int AddWords(string file, string ending, string? given, DataPaths paths, Settings settings)
    {
        var name = Path.GetFileName(file);
        var id = given ?? BackboneDescription.IdOf(name[..^ending.Length]);
        if (!BackboneManifest.IsId(id))
        {
            throw new BackboneException(BackboneManifest.IdRule);
        }

        var copy = Path.Combine(Directory.CreateDirectory(paths.RegisteredTexts).FullName, $"{Guid.CreateVersion7():n}.upload");
        File.Copy(file, copy);
        try
        {
            var dimensions = RegisteredText.Check(copy, name);
            var place = Path.Combine(paths.RegisteredTexts, $"{id}{ending.ToLowerInvariant()}");
            var found = RegisteredText.Find([.. settings.Backbones.Directories, paths.Backbones, paths.RegisteredBackbones]).Found;
            if (TextCandidates.IsTaken(id, [.. found.Where(text => text.Path != place)]))
            {
                throw new BackboneException($"The id '{id}' is already taken; choose another one with --id.");
            }

            File.Move(copy, place, overwrite: true);
            Console.WriteLine($"{id} is at {place}: word vectors with {dimensions} dimensions");
            return 0;
        }
        finally
        {
            File.Delete(copy);
        }
    }

    private static void Refuse(BackboneManifest manifest, string[] folders)
    {
        var other = BackboneFolders.Find(folders.Where(Directory.Exists)).Found
            .FirstOrDefault(f => f.Manifest.Id == manifest.Id && f.Manifest.Sha256 != manifest.Sha256);
        if (other is not null)
        {
            throw new BackboneException($"{other.Path} already has the id '{manifest.Id}'; choose another id with --id.");
        }
    }
}
