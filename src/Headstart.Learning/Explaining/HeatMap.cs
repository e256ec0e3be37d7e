using System.Numerics.Tensors;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Explaining;

/// <summary>
/// Where in an image the evidence for a label is: class activation mapping, "Learning Deep Features for Discriminative Localization" (Zhou
/// et al., CVPR 2016). A linear score is a sum over features, and a feature is the average of a feature map, so each place gets its part of
/// a feature's share in proportion to its part of the average. Zhou's features are the averages; ours are their roots, scaled
/// (<see cref="FeatureRecipe.Assemble"/>), which changes the shares but not where they come from. Nothing is approximated: the mean is the
/// score.
/// </summary>
/// <param name="Cells">Places along each side of the centre square, the part of the image that backbones see.</param>
/// <param name="Evidence">
/// <c>[Cells, Cells]</c>, row by row from the top left: evidence for the label (above 0) or against it. The mean is
/// <c>slope x features</c> over the parts with a map: the label's logit minus the mean of all logits, without biases.
/// </param>
/// <param name="Unseen">Parts of the recipe without a map; their share of the score is not included.</param>
public sealed record HeatMap(int Cells, float[] Evidence, IReadOnlyList<FeaturePart> Unseen)
{
    /// <summary>The heat map of one image for one label.</summary>
    /// <param name="image">The file.</param>
    /// <param name="recipe">The features that <paramref name="head"/> reads.</param>
    /// <param name="head">The head whose answer is explained.</param>
    /// <param name="label">Index into the head's labels.</param>
    /// <param name="features">The image's features <c>[d]</c> by <see cref="FeatureRecipe.Assemble"/>, or null if they are not at
    /// hand.</param>
    /// <returns>null if no part of the recipe has a feature map.</returns>
    /// <exception cref="ImageRefusedException">The file cannot be read.</exception>
    public static HeatMap? Of(byte[] image, FeatureRecipe recipe, Head head, int label, float[]? features = null)
    {
        features ??= recipe.Extract(image);
        var shares = head.Slope(features, label);
        TensorPrimitives.Multiply(shares, features, shares);
        var maps = recipe.Backbones.Where(backbone => backbone.Maps is not null)
            .ToDictionary(backbone => backbone, backbone => MapsOf(backbone, image));
        var (grids, unseen, at) = (new List<(int Cells, float[] Evidence)>(), new List<FeaturePart>(), 0);
        foreach (var part in recipe.Parts)
        {
            var section = part.Section.IsRaw ? part.Backbone.Sections[0] : part.Section;
            if (maps.TryGetValue(part.Backbone, out var seen) && seen.TryGetValue(section, out var map))
            {
                grids.Add((map.Cells, Spread(shares.AsSpan(at, part.Section.Length), map)));
            }
            else
            {
                unseen.Add(part);
            }

            at += part.Section.Length;
        }

        return grids.Count == 0 ? null : Sum(grids, unseen);
    }

    private static IReadOnlyDictionary<FeatureSection, FeatureMap> MapsOf(Backbone backbone, byte[] image)
    {
        using var input = ModelInput.Of(image, backbone.Manifest.Preprocessing);
        return backbone.Maps!.Extract(input.Chw);
    }

    /// <summary>Distributes each feature's share of the score over the places that produced it, in proportion to their values. If a feature
    /// averages values of both signs, those of the losing sign get nothing.</summary>
    /// <param name="shares"><c>[channels]</c></param>
    /// <param name="map">Feature map of the same section.</param>
    /// <returns><c>[cells, cells]</c>, whose mean is the sum of the shares.</returns>
    private static float[] Spread(ReadOnlySpan<float> shares, FeatureMap map)
    {
        var evidence = new float[map.Cells * map.Cells];
        var active = new float[evidence.Length];
        for (var channel = 0; channel < shares.Length; channel++)
        {
            var values = map.Channel(channel);
            TensorPrimitives.Multiply(values, MathF.Sign(TensorPrimitives.Sum(values)), active);
            TensorPrimitives.Max(active, 0, active);
            var sum = TensorPrimitives.Sum<float>(active);
            if (sum > 0)
            {
                TensorPrimitives.MultiplyAdd(active, shares[channel] * evidence.Length / sum, evidence, evidence);
            }
        }

        return evidence;
    }

    /// <summary>The sum of all parts, on the finest grid.</summary>
    private static HeatMap Sum(List<(int Cells, float[] Evidence)> grids, IReadOnlyList<FeaturePart> unseen)
    {
        var cells = grids.Max(grid => grid.Cells);
        var sum = new float[cells * cells];
        foreach (var grid in grids)
        {
            var fine = Bilinear.Resize(grid.Evidence, grid.Cells, cells);
            // Interpolation between grids that do not divide each other shifts the mean a little; restore it, because the mean is the
            // score.
            TensorPrimitives.Add(fine, grid.Evidence.Average() - fine.Average(), fine);
            TensorPrimitives.Add(sum, fine, sum);
        }

        return new(cells, sum, unseen);
    }
}
