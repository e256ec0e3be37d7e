namespace Headstart.Learning.Texts;

/// <summary>All texts of a model from which features may learn words and their use, but never the labels, and never the test
/// texts.</summary>
public sealed class TextCorpus
{
    private readonly Lazy<IReadOnlyList<IReadOnlyList<Token>>> _tokens;

    /// <param name="labelled">Labelled texts that a head will learn from.</param>
    /// <param name="unlabelled">All other texts.</param>
    public TextCorpus(IReadOnlyList<string> labelled, IReadOnlyList<string> unlabelled)
    {
        ArgumentNullException.ThrowIfNull(labelled);
        ArgumentNullException.ThrowIfNull(unlabelled);
        (Labelled, Unlabelled) = (labelled, unlabelled);
        _tokens = new(() => [.. labelled.Concat(unlabelled).AsParallel().AsOrdered()
            .Select(text => (IReadOnlyList<Token>)Tokens.Of(text))]);
    }

    public IReadOnlyList<string> Labelled { get; }

    public IReadOnlyList<string> Unlabelled { get; }

    /// <summary>Evenly spaced texts, enough to find the mean of all vectors.</summary>
    public IReadOnlyList<string> ForCentre
    {
        get
        {
            var all = Labelled.Count + Unlabelled.Count;
            return [.. Labelled.Concat(Unlabelled).Where((_, i) => i % (1 + all / TrainingDefaults.TextsForCentre) == 0)];
        }
    }

    /// <summary>Tokens of every text, the labelled ones first.</summary>
    internal IReadOnlyList<IReadOnlyList<Token>> TokensOfAll => _tokens.Value;
}
