using Headstart.Learning.Explaining;

namespace Headstart.Predictions;

/// <summary>Which places of the image speak for a label, as a picture.</summary>
/// <param name="Label">The most probable label.</param>
/// <param name="MediaType">Of the picture: image/png. Null where there is none.</param>
/// <param name="Data">
/// The picture, in Base64: the image upright, its longer side 448 pixels at most, with red where most speaks for the label, down to blue. The
/// scale is that of this image. What lies outside of the square in the middle was not seen and stays as it is.
/// </param>
/// <param name="Detail">Why there is no picture, or what is not in it; null where it shows everything.</param>
public sealed record ExplanationResponse(string Label, string? MediaType, byte[]? Data, string? Detail)
{
    /// <param name="version">What answered.</param>
    /// <param name="image">The file.</param>
    /// <param name="features">Of the image, as the version's head reads them.</param>
    /// <param name="label">Index into the head's labels.</param>
    internal static ExplanationResponse Of(ServedVersion version, byte[] image, float[] features, int label)
    {
        var name = version.Head.Labels[label];
        if (HeatMap.Of(image, version.Recipe, version.Head, label, features) is not { } heat)
        {
            return new(name, null, null, $"{version.Recipe.Id} looks at the image as a whole and has no feature map, so nobody can say where it sees the label.");
        }

        var unseen = heat.Unseen.Count == 0 ? null
            : $"{string.Join(" and ", heat.Unseen.Select(part => part.Id))} took part in the answer without a feature map, so what that saw is not shown.";
        return new(name, "image/png", heat.Over(image), unseen);
    }
}
