using System.Text.Json.Serialization;
using Headstart.Learning.Explaining;
using Headstart.Versions;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Predictions;

/// <summary>Which areas of the image, or which words of the text, support the most probable label.</summary>
/// <param name="Label">The most probable label.</param>
/// <param name="MediaType">Media type of the heat map: image/png. Null if there is none.</param>
/// <param name="Data">
/// The heat map in base64: the upright image, its longer side at most 448 pixels, coloured from red (supports the label most) to blue. The
/// scale is relative to this image. The area outside the central square is not seen by the backbone and stays uncoloured.
/// </param>
/// <param name="Detail">Why there is no heat map, or what it does not show; null if it is complete.</param>
/// <param name="Words">The words of a text, in order; absent for an image.</param>
public sealed record ExplanationResponse(
    string Label, string? MediaType, byte[]? Data, string? Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<WordResponse>? Words = null)
{
    /// <param name="label">Index into the head's labels.</param>
    /// <param name="cancel">Checked before each word.</param>
    internal static ExplanationResponse Of(ServedClassifier version, string text, int label, CancellationToken cancel)
    {
        var words = WordExplanation.Of(version, text, label, cancel);
        var detail = words.Count < ExplainedWords ? null : $"Only the first {ExplainedWords} words are explained.";
        return new(version.Head.Labels[label], null, null, words.Count == 0 ? "The text has no word to explain." : detail,
            [.. words.Select(word => new WordResponse(word.Word, word.Start, word.Length, Math.Round(word.Weight, 6)))]);
    }

    /// <param name="features">The image's features, as the version's head reads them.</param>
    /// <param name="label">Index into the head's labels.</param>
    internal static ExplanationResponse Of(ServedClassifier version, byte[] image, float[] features, int label)
    {
        var name = version.Head.Labels[label];
        if (HeatMap.Of(image, version.Recipe, version.Head, label, features) is not { } heat)
        {
            return new(name, null, null, $"No heat map: the backbone {version.Recipe.Id} has no feature map. Train with another backbone "
                + "to get heat maps.");
        }

        var unseen = heat.Unseen.Count == 0 ? null
            : $"{string.Join(" and ", heat.Unseen.Select(part => part.Id))} contributed to the prediction, but without a feature map: "
                + "the heat map does not show that part.";
        return new(name, "image/png", heat.Over(image), unseen);
    }
}

/// <param name="Word">The word as written in the text.</param>
/// <param name="Start">Its position in UTF-16 code units, from 0.</param>
/// <param name="Length">Its length in UTF-16 code units.</param>
/// <param name="Weight">How much the label's log-odds, ln(p / (1 - p)), drop without the word: above 0 it supports the label, below 0 it
/// opposes it.</param>
public sealed record WordResponse(string Word, int Start, int Length, double Weight);
