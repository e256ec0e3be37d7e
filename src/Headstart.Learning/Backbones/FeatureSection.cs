namespace Headstart.Learning.Backbones;

/// <summary>A stretch of a backbone's feature vector.</summary>
/// <param name="Name">Empty for the network's own features, <c>stride16</c> for the average of the stage whose places step over 16
/// pixels, <see cref="Words"/> for the network's own features as words are compared with them.</param>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">How many numbers it has.</param>
public sealed record FeatureSection(string Name, int Offset, int Length)
{
    /// <summary>The name of the section of an image-text pair whose cosine to a text says how well the two fit: no roots are taken of
    /// it.</summary>
    public const string Words = "words";

    /// <summary>Whether it is only scaled to length 1.</summary>
    public bool IsRaw => Name == Words;
}
