namespace Headstart.Learning.Backbones;

/// <summary>A section of a backbone's feature vector.</summary>
/// <param name="Name">Empty for the network's own features, <c>stride16</c> for the average of the stage with a stride of 16 pixels,
/// <see cref="Words"/> for the network's own features in the form that is compared with words.</param>
/// <param name="Offset">Index of its first number.</param>
/// <param name="Length">Number of its values.</param>
public sealed record FeatureSection(string Name, int Offset, int Length)
{
    /// <summary>Name of the section of an image-text pair whose cosine to a text measures how well they match; without roots.</summary>
    public const string Words = "words";

    /// <summary>Whether it is only scaled to length 1, without roots.</summary>
    public bool IsRaw => Name == Words;
}
