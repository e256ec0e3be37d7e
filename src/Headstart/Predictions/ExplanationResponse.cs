using System.Text.Json.Serialization;
using Headstart.Learning.Explaining;
using Headstart.Versions;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Predictions;

/// <summary>Which places of the image speak for a label, as a picture, or which words of the text.</summary>
/// <param name="Label">The most probable label.</param>
/// <param name="MediaType">Of the picture: image/png. Null where there is none.</param>
/// <param name="Data">
/// The picture, in Base64: the image upright, its longer side 448 pixels at most, with red where most speaks for the label, down to blue. The
/// scale is that of this image. What lies outside of the square in the middle was not seen and stays as it is.
/// </param>
/// <param name="Detail">Why there is no picture, or what is not in it; null where it shows everything.</param>
/// <param name="Words">Of a text, in its order; absent for an image.</param>
public sealed record ExplanationResponse(
    string Label, string? MediaType, byte[]? Data, string? Detail, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<WordResponse>? Words = null)
{
    /// <param name="version">What answered.</param>
    /// <param name="text">The text.</param>
    /// <param name="label">Index into the head's labels.</param>
    /// <param name="cancel">Looked at before each word.</param>
    internal static ExplanationResponse Of(ServedVersion version, string text, int label, CancellationToken cancel)
    {
        var words = WordExplanation.Of(version, text, label, cancel);
        var detail = words.Count < ExplainedWords ? null : $"Only the first {ExplainedWords} words were looked at.";
        return new(version.Head.Labels[label], null, null, words.Count == 0 ? "The text has no word that could be left out." : detail,
            [.. words.Select(word => new WordResponse(word.Word, word.Start, word.Length, Math.Round(word.Weight, 6)))]);
    }

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

/// <param name="Word">As it stands in the text.</param>
/// <param name="Start">Where, in UTF-16 code units from 0.</param>
/// <param name="Length">How long.</param>
/// <param name="Weight">By how much the label's log-odds, ln(p / (1 - p)), fall without the word: above 0 it speaks for the label, below 0 against it.</param>
public sealed record WordResponse(string Word, int Start, int Length, double Weight);
