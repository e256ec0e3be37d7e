using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>How much a word contributes to a label.</summary>
/// <param name="Word">As written in the text.</param>
/// <param name="Start">Start in the text, in UTF-16 code units.</param>
/// <param name="Length">Length in UTF-16 code units.</param>
/// <param name="Weight">Drop in the label's probability without the word: above 0 it is evidence for the label, below 0 against it.</param>
public sealed record WordWeight(string Word, int Start, int Length, double Weight);

/// <summary>Explains an answer by leaving out one word at a time (Zeiler and Fergus 2014, for images; Li, Monroe and Jurafsky
/// 2016).</summary>
public static class WordOcclusion
{
    /// <param name="text">The text.</param>
    /// <param name="features">The features that the head reads.</param>
    /// <param name="probabilities">The head: features <c>[d]</c> to probabilities <c>[k]</c>.</param>
    /// <param name="label">Index of the label to explain.</param>
    /// <param name="cancel">Checked before each word.</param>
    /// <returns>One entry for each word, in the order of the text.</returns>
    public static IReadOnlyList<WordWeight> Explain(
        string text, TextFeatures features, Func<float[], float[]> probabilities, int label, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(probabilities);
        var whole = probabilities(features.Of(text))[label];
        var words = new List<WordWeight>();
        foreach (var token in Tokens.Of(text).Where(token => token.Kind != TokenKind.Punctuation).Take(ExplainedWords))
        {
            cancel.ThrowIfCancellationRequested();
            var without = text.Remove(token.Start, token.Length);
            words.Add(new(text.Substring(token.Start, token.Length), token.Start, token.Length,
                whole - probabilities(features.Of(without))[label]));
        }

        return words;
    }
}
