using System.Numerics.Tensors;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;

namespace Headstart.Learning.Words;

/// <summary>What the words of a model's categories tell about images, given the image-text pairs of a host.</summary>
/// <param name="Pairs">Best first; empty if the host has none, and then words are not used.</param>
/// <param name="Categories">The k names.</param>
/// <param name="Prompts">The text that stands for each category, <c>[k]</c>; see <see cref="Prompt"/>.</param>
public sealed record CategoryWords(IReadOnlyList<ImageTextPair> Pairs, IReadOnlyList<string> Categories, IReadOnlyList<string> Prompts)
{
    /// <summary>For features that cannot be compared with words.</summary>
    public static CategoryWords None { get; } = new([], [], []);

    /// <summary>The description unchanged, or else the name in the sentence that CLIP was evaluated with.</summary>
    /// <param name="name">Name of the category.</param>
    /// <param name="description">What an image of it shows, in words; may be null.</param>
    public static string Prompt(string name, string? description)
    {
        ArgumentNullException.ThrowIfNull(name);
        return description ?? $"a photo of a {name.Replace('_', ' ').Replace('-', ' ')}.";
    }

    /// <summary>Candidates that use the words: each pair's image network alone, and joined to each other backbone.</summary>
    /// <param name="backbones">Backbones that may be used.</param>
    /// <param name="maxMs">Limit, milliseconds per image.</param>
    public IEnumerable<FeatureRecipe> Recipes(IReadOnlyList<Backbone> backbones, double maxMs)
    {
        ArgumentNullException.ThrowIfNull(backbones);
        return Pairs.Where(pair => backbones.Contains(pair.Images)).SelectMany(pair => backbones.Where(other => other != pair.Images)
            .Select(other => FeatureRecipe.Of(other) + pair.Recipe).Prepend(pair.Recipe)).Where(recipe => recipe.MsPerImage <= maxMs);
    }

    /// <summary>The zero-shot classifier of the words: cosine to each, times the pair's scale, minus the mean over the categories, which
    /// does not help to tell them apart.</summary>
    /// <param name="recipe">Features of the images.</param>
    /// <returns><c>[k, d]</c>; null if no part of the recipe can be compared with words.</returns>
    /// <exception cref="TextFeaturesException">A text network cannot be used.</exception>
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

    /// <summary>A head that learned from no image.</summary>
    /// <exception cref="TextFeaturesException">The text network cannot be used.</exception>
    public (Head Head, NoveltyDetector Known) ZeroShot(ImageTextPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        return (new(Categories, Prior(pair.Recipe)!), NoveltyDetector.OfAnything(pair.Directions(Prompts)));
    }

    /// <summary>How far a head that starts from the words trusts those of each category, <c>[k]</c>, 0..1.</summary>
    /// <param name="set">A set with a prior.</param>
    public static IReadOnlyList<double> Belief(LabelledFeatures set) => WordRegression.Belief(set);
}
