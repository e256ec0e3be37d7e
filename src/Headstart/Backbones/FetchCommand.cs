using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Operations;

namespace Headstart.Backbones;

/// <summary>
/// <c>backbones fetch [id…]</c>: brings backbones of the catalogue into the data folder ahead of time, also while a host runs on it;
/// that host finds them when a run wants them or at its next start.
/// </summary>
public static class FetchCommand
{
    public static bool Asked(string[] args) => args is ["backbones", "fetch", ..];

    /// <returns>The exit code: 0 when everything that was asked for is there.</returns>
    /// <exception cref="StartupException">Downloads are switched off, or an id is not in the catalogue.</exception>
    public static async Task<int> RunAsync(string[] args, Settings settings, CancellationToken cancel)
    {
        if (!settings.Backbones.Download)
        {
            throw new StartupException("Headstart:Backbones:Download is false, so nothing is fetched.");
        }

        var folder = new DataPaths(DataFolder.Resolve(settings.DataDirectory)).Backbones;
        var failed = 0;
        foreach (var entry in Chosen(new HostCatalogue(settings).Entries, [.. args.Skip(2).TakeWhile(a => !a.StartsWith('-'))]))
        {
            try
            {
                var file = await new BackboneDownload().FetchAsync(entry, folder, settings.Backbones.Mirror, Bar(entry.Manifest.Id), cancel);
                Console.WriteLine($"\r{entry.Manifest.Id} is at {file.Path}");
            }
            catch (BackboneException e)
            {
                Console.Error.WriteLine($"\r{e.Message}");
                failed++;
            }
        }

        return failed == 0 ? 0 : 1;
    }

    private static IReadOnlyList<CatalogueEntry> Chosen(IReadOnlyList<CatalogueEntry> known, IReadOnlyList<string> ids)
    {
        var unknown = ids.Except(known.Select(e => e.Manifest.Id)).ToList();
        return unknown.Count > 0
            ? throw new StartupException($"The catalogue has no {string.Join(", ", unknown)} to fetch; it has {string.Join(", ", known.Select(e => e.Manifest.Id))}.")
            : ids.Count == 0 ? known : [.. known.Where(e => ids.Contains(e.Manifest.Id))];
    }

    /// <summary>One line that is written over; nothing where the output is a file.</summary>
    private static Progress<(long Done, long Total)>? Bar(string id) => Console.IsOutputRedirected ? null : new(at =>
    {
        var filled = (int)(at.Done * 30 / Math.Max(1, at.Total));
        Console.Write($"\r{id} [{new string('#', filled)}{new string('.', 30 - filled)}] {at.Done / 1e6:0.0} of {at.Total / 1e6:0.0} MB ");
    });
}
