using System.Numerics.Tensors;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Explaining;

/// <summary>
/// Where in an image the evidence for a label is: the class activation map of "Learning Deep Features for Discriminative Localization"
/// (Zhou et al., CVPR 2016). A linear score is a sum with one share for each feature, and a feature comes from the average of a feature
/// map, so each place gets of the share what it gave to the average. Zhou's features are the averages; ours are their roots, scaled
/// (<see cref="FeatureRecipe.Assemble"/>), which changes the shares and not who made them. Nothing is approximated: the mean is the score.
/// </summary>
/// <param name="Cells">Places along each side of the square in the middle of the image, which is what backbones see.</param>
/// <param name="Evidence">
/// <c>[Cells, Cells]</c>, row by row from the top left: what each place says for the label (above 0) or against it. The mean is
/// <c>slope x features</c> over the parts that have a map: the label's logit less the mean of all, biases left out.
/// </param>
/// <param name="Unseen">Parts of the recipe without a map, whose share of the score is not in here.</param>
public sealed record HeatMap(int Cells, float[] Evidence, IReadOnlyList<FeaturePart> Unseen)
{
    /// <summary>The heat map of one image for one label.</summary>
    /// <param name="image">The file.</param>
    /// <param name="recipe">What <paramref name="head"/> reads.</param>
    /// <param name="head">Whose answer is explained.</param>
    /// <param name="label">Index into the head's labels.</param>
    /// <param name="features">Of the image, <c>[d]</c>, by <see cref="FeatureRecipe.Assemble"/>; null when they are not at hand.</param>
    /// <returns>null where no part of the recipe has a feature map.</returns>
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

    /// <summary>
    /// Gives each feature's share of the score to the places that made the feature, in proportion to their values. Where the feature is an
    /// average of values of both signs, those that it outweighed get nothing.
    /// </summary>
    /// <param name="shares"><c>[channels]</c></param>
    /// <param name="map">Of the same section.</param>
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

    /// <summary>All parts together, on the grid of the finest.</summary>
    private static HeatMap Sum(List<(int Cells, float[] Evidence)> grids, IReadOnlyList<FeaturePart> unseen)
    {
        var cells = grids.Max(grid => grid.Cells);
        var sum = new float[cells * cells];
        foreach (var grid in grids)
        {
            var fine = Bilinear.Resize(grid.Evidence, grid.Cells, cells);
            // Between grids that do not divide each other, interpolation moves the mean by a little: the score must stay what it is.
            TensorPrimitives.Add(fine, grid.Evidence.Average() - fine.Average(), fine);
            TensorPrimitives.Add(sum, fine, sum);
        }

        return new(cells, sum, unseen);
    }
}
