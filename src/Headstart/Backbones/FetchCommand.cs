using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;

namespace Headstart.Backbones;

/// <summary>
/// <c>backbones fetch [id…]</c>: downloads backbones of the catalogue into the data folder ahead of time. A running host finds them when a
/// run wants them or at its next start. Without ids it downloads those that runs would download by default. Sentence networks must be
/// named, and are found at the next start.
/// </summary>
public static class FetchCommand
{
    public static bool Asked(string[] args) => args is ["backbones", "fetch", ..];

    /// <returns>Exit code: 0 if all requested backbones are there.</returns>
    /// <exception cref="StartupException">Downloads are disabled, or an id is not in the catalogue.</exception>
    public static async Task<int> RunAsync(string[] args, Settings settings, CancellationToken cancel)
    {
        if (!settings.Backbones.Download)
        {
            throw new StartupException("Headstart:Backbones:Download is false; set it to true to download backbones.");
        }

        var folder = new DataPaths(DataFolder.Resolve(settings.DataDirectory)).Backbones;
        var (catalogue, download) = (new HostCatalogue(settings), new BackboneDownload());
        var failed = 0;
        foreach (var id in Chosen(catalogue, [.. args.Skip(2).TakeWhile(a => !a.StartsWith('-'))]))
        {
            try
            {
                var place = TextCatalogue.Find(id) is { } text
                    ? await download.FetchAsync(text, folder, settings.Backbones.Mirror, Bar(id), cancel)
                    : (await download.FetchAsync(catalogue.Find(id)!, folder, settings.Backbones.Mirror, Bar(id), cancel)).Path;
                Console.WriteLine($"\r{id} is at {place}");
            }
            catch (BackboneException e)
            {
                Console.Error.WriteLine($"\r{e.Message}");
                failed++;
            }
        }

        return failed == 0 ? 0 : 1;
    }

    private static IReadOnlyList<string> Chosen(HostCatalogue catalogue, IReadOnlyList<string> ids)
    {
        IReadOnlyList<string> images = [.. catalogue.Entries.Select(e => e.Manifest.Id)];
        IReadOnlyList<string> known = [.. images, .. TextCatalogue.Entries.Select(e => e.Id)];
        var unknown = ids.Except(known).ToList();
        return unknown.Count > 0 ? throw new StartupException($"The catalogue has no backbone {string.Join(", ", unknown)}. Available: "
            + $"{string.Join(", ", known)}.")
            : ids.Count > 0 ? ids
            : [.. catalogue.Entries.Where(e => e.Recommended).Select(e => e.Manifest.Id)];
    }

    /// <summary>A progress line that is overwritten; null if the output is redirected.</summary>
    private static Progress<(long Done, long Total)>? Bar(string id) => Console.IsOutputRedirected ? null : new(at =>
    {
        var filled = (int)(at.Done * 30 / Math.Max(1, at.Total));
        Console.Write($"\r{id} [{new string('#', filled)}{new string('.', 30 - filled)}] {at.Done / 1e6:0.0} of {at.Total / 1e6:0.0} MB ");
    });
}
