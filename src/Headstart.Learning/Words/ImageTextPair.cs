using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Words;

/// <summary>
/// Two networks that were trained together on images and their captions, so that the vectors of an image and of a text that describes it
/// point the same way (CLIP, Radford et al. 2021).
/// </summary>
/// <param name="Images">The image half.</param>
/// <param name="Texts">The text half, of the same space.</param>
public sealed record ImageTextPair(Backbone Images, RegisteredText Texts)
{
    /// <summary>The features of an image as they are compared with words.</summary>
    public FeatureRecipe Recipe { get; } = FeatureRecipe.Parse($"{Images.Manifest.Id}@{FeatureSection.Words}", [Images])!;

    /// <summary>The pairs among what a host has, the largest image network first: it knows most.</summary>
    public static IReadOnlyList<ImageTextPair> Find(IReadOnlyList<Backbone> images, Func<IReadOnlyList<RegisteredText>> texts)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(texts);
        var halves = images.Where(backbone => backbone.Manifest.Space is not null).OrderByDescending(backbone => backbone.Manifest.Bytes)
            .ThenBy(backbone => backbone.Manifest.Id, StringComparer.Ordinal).ToList();
        return halves.Count == 0 ? [] : [.. halves.Select(half => (half, texts().FirstOrDefault(text => text.Space == half.Manifest.Space)))
            .Where(pair => pair.Item2 is not null).Select(pair => new ImageTextPair(pair.half, pair.Item2!))];
    }

    /// <summary>Directions of texts in the space, <c>[k][d]</c>, each of length 1.</summary>
    /// <exception cref="TextFeaturesException">The text half cannot be used, or its space is another one.</exception>
    public IReadOnlyList<float[]> Directions(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var (words, images) = (Texts.Sentences.Sections.Sum(), Images.Manifest.Features);
        if (words != images)
        {
            throw new TextFeaturesException($"'{Texts.Id}' gives {words} numbers a text and '{Images.Manifest.Id}' {images} an image, but "
                + "the two halves of a pair give equally many; correct 'space' in their descriptions.");
        }

        try
        {
            return [.. texts.Select(text => NoveltyDetector.Unit(Texts.Sentences.Encode(text)))];
        }
        catch (OnnxRuntimeException exception)
        {
            throw new TextFeaturesException($"'{Texts.Id}' cannot read words: {exception.Message.TrimEnd('.')}.", exception);
        }
    }
}
