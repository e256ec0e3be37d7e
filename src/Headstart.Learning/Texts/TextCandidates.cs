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
        var terms = TfIdfFeatures.Fit(corpus, cancel);
        var words = Vocabulary.Of(corpus);
        var candidates = new List<TextFeatures> { terms };
        foreach (var file in registered.Where(file => file.Kind == RegisteredTextKind.WordVectors))
        {
            candidates.Add(WordVectorFeatures.Fit(file.Id, file.Words, file, corpus, words, weighted: false));
            candidates.Add(WordVectorFeatures.Fit(file.Id, file.Words, file, corpus, words, weighted: true));
        }

        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        var learned = SkipGram.Train(words, null, seed, share => progress?.Report(share), cancel);
        Console.Error.WriteLine($"skipgram {System.Diagnostics.Stopwatch.GetElapsedTime(started)}");
        candidates.Add(WordVectorFeatures.Fit("skipgram", learned, null, corpus, words, weighted: false));
        candidates.Add(WordVectorFeatures.Fit("skipgram", learned, null, corpus, words, weighted: true));
        foreach (var file in registered.Where(file => file.Kind == RegisteredTextKind.WordVectors))
        {
            candidates.Add(WordVectorFeatures.Fit($"{file.Id}-tuned", SkipGram.Train(words, file.Words, seed, null, cancel), null, corpus, words, weighted: false));
        }

        candidates.AddRange(candidates.Skip(1).ToList().Select(other => new JoinedFeatures(other, terms)));
        string[] usual = [.. corpus.Labelled.Take(50)];
        candidates.ForEach(candidate => candidate.Measure(usual));
        progress?.Report(1);
        return candidates;
    }

    /// <summary>What is best on average over many tasks, known before a single text was seen.</summary>
    /// <returns>Its index.</returns>
    internal static int Favourite(IReadOnlyList<TextFeatures> candidates) => 0;
}
