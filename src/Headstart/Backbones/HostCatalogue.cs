using Headstart.Learning.Backbones;

namespace Headstart.Backbones;

/// <summary>The backbones that this host may fetch: those of the built-in catalogue, or of the one that the settings name.</summary>
public sealed class HostCatalogue
{
    /// <exception cref="StartupException">The catalogue that the settings name cannot be used.</exception>
    public HostCatalogue(Settings settings)
    {
        (Downloads, Mirror) = (settings.Backbones.Download, settings.Backbones.Mirror);
        try
        {
            var entries = settings.Backbones.Catalogue is { Length: > 0 } own ? Catalogue.Read(own) : Catalogue.Entries;
            Entries = [.. entries.Where(e => e.Address is not null)];
        }
        catch (BackboneException e)
        {
            throw new StartupException($"Headstart:Backbones:Catalogue: {e.Message}", e);
        }
    }

    public IReadOnlyList<CatalogueEntry> Entries { get; }

    /// <summary>Whether runs and users may fetch them.</summary>
    public bool Downloads { get; }

    /// <summary>Where to fetch from instead of the addresses of the entries; null for these.</summary>
    public Uri? Mirror { get; }

    public CatalogueEntry? Find(string id) => Entries.FirstOrDefault(e => e.Manifest.Id == id);
}
