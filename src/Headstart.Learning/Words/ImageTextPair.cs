using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;

namespace Headstart.Learning.Words;

/// <summary>Two networks trained together on images and their captions, so that the vectors of an image and of a text that describes it
/// point the same way (CLIP, Radford et al. 2021).</summary>
/// <param name="Images">The image network.</param>
/// <param name="Texts">The text network of the same space.</param>
public sealed record ImageTextPair(Backbone Images, RegisteredText Texts)
{
    /// <summary>The features of an image that are compared with words.</summary>
    public FeatureRecipe Recipe { get; } = FeatureRecipe.Parse($"{Images.Manifest.Id}@{FeatureSection.Words}", [Images])!;

    /// <summary>The pairs that a host has, the one with the largest image network, the most capable, first.</summary>
    public static IReadOnlyList<ImageTextPair> Find(IReadOnlyList<Backbone> images, Func<IReadOnlyList<RegisteredText>> texts)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(texts);
        var halves = images.Where(backbone => backbone.Manifest.Space is not null).OrderByDescending(backbone => backbone.Manifest.Bytes)
            .ThenBy(backbone => backbone.Manifest.Id, StringComparer.Ordinal).ToList();
        return halves.Count == 0 ? [] : [.. halves.Select(half => (half, texts().FirstOrDefault(text => text.Space == half.Manifest.Space)))
            .Where(pair => pair.Item2 is not null).Select(pair => new ImageTextPair(pair.half, pair.Item2!))];
    }

    /// <summary>Directions of texts in the shared space, <c>[k][d]</c>, each of length 1.</summary>
    /// <exception cref="TextFeaturesException">The text network cannot be used, or its vectors have another length.</exception>
    public IReadOnlyList<float[]> Directions(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var (words, images) = (Texts.Sentences.Sections.Sum(), Images.Manifest.Features);
        if (words != images)
        {
            throw new TextFeaturesException($"'{Texts.Id}' gives {words} numbers a text and '{Images.Manifest.Id}' {images} an image, but "
                + "the two halves of a pair give equally many; correct 'space' in their descriptions.");
        }

        return [.. texts.Select(text => NoveltyDetector.Unit(Texts.Sentences.Encode(text)))];
    }
}
