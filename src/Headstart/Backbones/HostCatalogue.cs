using Headstart.Learning.Backbones;

namespace Headstart.Backbones;

/// <summary>The backbones that this host may download: from the built-in catalogue, or the one named by the settings.</summary>
public sealed class HostCatalogue
{
    /// <exception cref="StartupException">The catalogue named by the settings cannot be used.</exception>
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

    /// <summary>Whether runs and users may download them.</summary>
    public bool Downloads { get; }

    /// <summary>Replaces the addresses of the entries; null to use them.</summary>
    public Uri? Mirror { get; }

    public CatalogueEntry? Find(string id) => Entries.FirstOrDefault(e => e.Manifest.Id == id);
}
