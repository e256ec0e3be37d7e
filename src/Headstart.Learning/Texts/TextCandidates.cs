using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>Candidate features for a model's texts.</summary>
public static class TextCandidates
{
    private const string SkipGramName = "skipgram";
    private const string Tuned = "-tuned";
    private const string OwnWords = SkipGramName + WordVectorFeatures.Weighted;

    /// <summary>Ids of the features that <see cref="Fit"/> makes.</summary>
    /// <param name="registered">Text backbones found in folders.</param>
    public static IReadOnlyList<string> Ids(IReadOnlyList<RegisteredText> registered)
    {
        ArgumentNullException.ThrowIfNull(registered);
        var found = WordFiles(registered).ConvertAll(file => file.Id);
        return [TfIdfFeatures.Kind, .. new[] { SkipGramName }.Concat(found.Select(id => id + Tuned)).Concat(found)
            .SelectMany(Means),
            .. registered.Where(file => file.Kind == RegisteredTextKind.Sentences).SelectMany(IdsWith)];
    }

    /// <summary>The <see cref="Ids"/> that are made with a text backbone.</summary>
    public static IReadOnlyList<string> IdsWith(RegisteredText file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return file.Kind switch
        {
            RegisteredTextKind.WordVectors => IdsWithWords(file.Id),
            RegisteredTextKind.Sentences => [file.Id, Joined(file.Id), WithWords(file.Id)],
            _ => [],
        };
    }

    /// <summary>Ids of the features made with the word vectors of that id.</summary>
    public static IReadOnlyList<string> IdsWithWords(string id) => [.. Means(id + Tuned), .. IdsReadingWords(id)];

    /// <summary>The <see cref="IdsWithWords"/> that read the file whenever they are used; the others store what they learned from
    /// it.</summary>
    public static IReadOnlyList<string> IdsReadingWords(string id) => Means(id);

    /// <summary>Whether the id of new word vectors would make a name ambiguous: "ours-sif" is the weighted mean of "ours".</summary>
    /// <param name="id">The id of the new vectors.</param>
    /// <param name="others">The other text backbones; those of the catalogue are always included.</param>
    public static bool IsTaken(string id, IReadOnlyList<RegisteredText> others)
    {
        var taken = Ids(others).Concat(TextCatalogue.Entries.Select(entry => entry.Id)).ToHashSet();
        return IdsWithWords(id).Any(taken.Contains);
    }

    /// <summary>Learns every kind of features from the texts. Synchronous; the same texts, order, seed and registered files give
    /// bit-identical features.</summary>
    /// <param name="corpus">All texts except the test texts.</param>
    /// <param name="registered">Text backbones found in folders; keep them open as long as the features are used.</param>
    /// <param name="seed">Decides everything random.</param>
    /// <param name="progress">Receives the share done, 0..1.</param>
    /// <param name="cancel">Checked often.</param>
    /// <param name="only">One of <see cref="Ids"/>: make only that and what it needs. By default all.</param>
    /// <returns>With their time measured: TF-IDF; the plain and the weighted mean of word vectors that were learned from the texts, that
    /// were registered, and that were registered and trained further on the texts; each plain mean joined to TF-IDF; and sentence networks
    /// alone, joined to TF-IDF, and joined to that and to the words of the texts (<see cref="PrincipalFeatures"/>).</returns>
    /// <exception cref="TextFeaturesException">A registered file cannot be read; the message says which.</exception>
    public static IReadOnlyList<TextFeatures> Fit(
        TextCorpus corpus, IReadOnlyList<RegisteredText> registered, int seed, IProgress<double>? progress, CancellationToken cancel,
        string? only = null)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentNullException.ThrowIfNull(registered);
        var terms = TfIdfFeatures.Fit(corpus, cancel);
        var candidates = new List<TextFeatures> { terms };
        var words = Vocabulary.Of(corpus);
        foreach (var (name, vectors, source) in Vectors(words, registered, seed, progress, name => Needs(only, name), cancel))
        {
            var plain = WordVectorFeatures.Fit(name, vectors, source, corpus, words, weighted: false);
            candidates.Add(plain);
            candidates.Add(WordVectorFeatures.Fit(name, vectors, source, corpus, words, weighted: true));
            candidates.Add(new JoinedFeatures(plain, terms));
        }

        var own = candidates.Find(candidate => candidate.Id == OwnWords);
        foreach (var file in registered.Where(file => file.Kind == RegisteredTextKind.Sentences && Needs(only, file.Id)
            && (only is not null || corpus.Labelled.Count <= MostForSentences)))
        {
            var sentences = SentenceFeatures.Fit(file, corpus, cancel);
            candidates.AddRange([sentences, new JoinedFeatures(sentences, terms)]);
            if (own is not null)
            {
                candidates.Add(new JoinedFeatures(PrincipalFeatures.Fit(new JoinedFeatures(sentences, own), corpus, cancel), terms));
            }
        }

        candidates.RemoveAll(candidate => only is not null && candidate.Id != only);
        string[] usual = [.. corpus.Labelled.Take(UsualTexts)];
        candidates.ForEach(candidate => candidate.Measure(usual));
        progress?.Report(1);
        return [.. candidates.OrderBy(candidate => candidate.MsPerText)];
    }

    /// <summary>
    /// The best features on average over many tasks, known before any label is seen: word vectors learned from the texts, preferably
    /// starting from registered ones, joined to TF-IDF. (Movie reviews, 20, 200 and 1,000 labelled of 6,920: 0.625, 0.720 and 0.765; TF-IDF
    /// alone 0.551, 0.637 and 0.741.) If there is a sentence network, it comes before them, joined to the weighted mean and TF-IDF. (The
    /// same reviews, ten draws of 20 and 200 labelled, MiniLM: 0.646 and 0.787; joined to TF-IDF alone 0.637 and 0.773; by itself 0.638 and
    /// 0.775.) Static token vectors never are the favourite: none that is published could be tried.
    /// </summary>
    /// <returns>Index of the candidate.</returns>
    internal static int Favourite(IReadOnlyList<TextFeatures> candidates)
    {
        string[] endings = [$"+{Joined(OwnWords)}", $"{Tuned}+{TfIdfFeatures.Kind}", $"{SkipGramName}+{TfIdfFeatures.Kind}"];
        return endings.Select(ending => Enumerable.Range(0, candidates.Count)
            .FirstOrDefault(i => !candidates[i].IsStatic && candidates[i].Id.EndsWith(ending, StringComparison.Ordinal), -1))
            .FirstOrDefault(i => i >= 0, 0);
    }

    /// <summary>Word vectors by name, with the file for those that are used unchanged.</summary>
    private static List<(string Name, WordVectors Vectors, RegisteredText? Source)> Vectors(
        Vocabulary words, IReadOnlyList<RegisteredText> registered, int seed, IProgress<double>? progress, Predicate<string> needed,
        CancellationToken cancel)
    {
        if (words.Words.Count == 0)
        {
            return [];
        }

        var found = WordFiles(registered);
        RegisteredText?[] starts = [.. new RegisteredText?[] { null }.Concat(found).Where(start => needed(Learned(start)))];
        WordVectors?[] vectors = [.. starts.Select(start => start?.Words)];
        var (learned, shares) = (new WordVectors[starts.Length], new double[starts.Length]);
        AllCores.For(starts.Length, i => learned[i] = SkipGram.Train(words, vectors[i], seed, share =>
            {
                lock (shares)
                {
                    shares[i] = share;
                    progress?.Report(shares.Average());
                }
            }, cancel), cancel);
        return
        [
            .. starts.Select((start, i) => (Learned(start), learned[i], (RegisteredText?)null)),
            .. found.Where(file => needed(file.Id)).Select(file => (file.Id, file.Words, file)),
        ];
    }

    private static List<RegisteredText> WordFiles(IReadOnlyList<RegisteredText> registered) =>
        [.. registered.Where(file => file.Kind == RegisteredTextKind.WordVectors)];

    /// <summary>The name of word vectors that were trained from these.</summary>
    private static string Learned(RegisteredText? start) => start is null ? SkipGramName : start.Id + Tuned;

    private static string[] Means(string name) => [name, name + WordVectorFeatures.Weighted, Joined(name)];

    /// <summary>The id of a sentence network joined to the model's own word vectors and TF-IDF.</summary>
    private static string WithWords(string name) => $"{name}+{Joined(OwnWords)}";

    private static string Joined(string name) => $"{name}+{TfIdfFeatures.Kind}";

    private static bool Needs(string? only, string name) =>
        only is null || only == name || only == name + WordVectorFeatures.Weighted || only == Joined(name) || only == WithWords(name)
        || (name == SkipGramName && only.EndsWith(WithWords(""), StringComparison.Ordinal));
}
