using Headstart.Learning.Words;

namespace Headstart.Backbones;

/// <summary>The image-text pairs of this host: with them, a model can recognise its categories before it has any images.</summary>
public sealed class ImageTextPairs(LoadedBackbones loaded, LoadedTextBackbones texts)
{
    /// <summary>Best first. Text backbones are searched only if an image network has a space to share.</summary>
    public IReadOnlyList<ImageTextPair> All => ImageTextPair.Find(loaded.All, () => texts.All);

    /// <summary>The best pair that a run may use.</summary>
    /// <param name="named">The backbone that the run names; null if it names none.</param>
    /// <param name="maxLatencyMs">Limit per image on this host, in milliseconds.</param>
    public ImageTextPair? Find(string? named, double? maxLatencyMs) => All.FirstOrDefault(pair =>
        (named is null || named == pair.Recipe.Id || named == pair.Images.Manifest.Id) && !(pair.Recipe.MsPerImage > maxLatencyMs));
}
