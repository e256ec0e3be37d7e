using System.Numerics.Tensors;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;

namespace Headstart.Learning.Words;

/// <summary>What the words of a model's categories say of images, with the pairs that a host has.</summary>
/// <param name="Pairs">The best first; none where the host has no pair, and then nothing is said.</param>
/// <param name="Categories">The k names.</param>
/// <param name="Prompts">What each category is compared by, <c>[k]</c>; see <see cref="Prompt"/>.</param>
public sealed record CategoryWords(IReadOnlyList<ImageTextPair> Pairs, IReadOnlyList<string> Categories, IReadOnlyList<string> Prompts)
{
    /// <summary>For features that words cannot be compared with.</summary>
    public static CategoryWords None { get; } = new([], [], []);

    /// <summary>A description as it is, or else a name in the sentence that CLIP knows names from.</summary>
    /// <param name="name">Of the category.</param>
    /// <param name="description">What an image of it shows, in words; may be null.</param>
    public static string Prompt(string name, string? description)
    {
        ArgumentNullException.ThrowIfNull(name);
        return description ?? $"a photo of a {name.Replace('_', ' ').Replace('-', ' ')}.";
    }

    /// <summary>What could be tried because of the words: each pair's images alone, and joined to each other backbone.</summary>
    /// <param name="backbones">Those that may be read.</param>
    /// <param name="maxMs">Limit, milliseconds an image.</param>
    public IEnumerable<FeatureRecipe> Recipes(IReadOnlyList<Backbone> backbones, double maxMs)
    {
        ArgumentNullException.ThrowIfNull(backbones);
        return Pairs.Where(pair => backbones.Contains(pair.Images)).SelectMany(pair => backbones.Where(other => other != pair.Images)
            .Select(other => FeatureRecipe.Of(other) + pair.Recipe).Prepend(pair.Recipe)).Where(recipe => recipe.MsPerImage <= maxMs);
    }

    /// <summary>
    /// The zero-shot classifier of the words: cosine to each, times the pair's scale, less the mean over the categories, which tells none
    /// of them apart.
    /// </summary>
    /// <param name="recipe">What the images are read with.</param>
    /// <returns><c>[k, d]</c>; null where no part of the recipe can be compared with words.</returns>
    /// <exception cref="TextFeaturesException">A text half cannot be used.</exception>
    public DenseLayer? Prior(FeatureRecipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var (weights, at, found) = (new float[Categories.Count * recipe.Length], 0, false);
        foreach (var part in recipe.Parts)
        {
            if (part.Section.IsRaw && Pairs.FirstOrDefault(pair => pair.Images == part.Backbone) is { } pair)
            {
                found = true;
                var directions = pair.Directions(Prompts);
                var mean = new float[part.Section.Length];
                foreach (var direction in directions)
                {
                    TensorPrimitives.MultiplyAdd(direction, 1f / directions.Count, mean, mean);
                }

                foreach (var (k, direction) in directions.Index())
                {
                    var row = weights.AsSpan(k * recipe.Length + at, mean.Length);
                    TensorPrimitives.Subtract(direction, mean, row);
                    TensorPrimitives.Multiply(row, (float)pair.Texts.Scale, row);
                }
            }

            at += part.Section.Length;
        }

        return found ? new(recipe.Length, weights, new float[Categories.Count]) : null;
    }

    /// <summary>A head that has learned from no image.</summary>
    /// <exception cref="TextFeaturesException">The text half cannot be used.</exception>
    public (Head Head, NoveltyDetector Known) ZeroShot(ImageTextPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        return (new(Categories, Prior(pair.Recipe)!), NoveltyDetector.OfAnything(pair.Directions(Prompts)));
    }

    /// <summary>How far a head that begins with the words believes those of each category, <c>[k]</c>, 0..1.</summary>
    /// <param name="set">With a prior.</param>
    public static IReadOnlyList<double> Belief(LabelledFeatures set) => WordRegression.Belief(set);
}
