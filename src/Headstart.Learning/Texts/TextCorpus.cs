namespace Headstart.Learning.Texts;

/// <summary>
/// All texts of a model, from which features may learn what words there are and how they are used, but never the labels, and never the
/// texts that the model is tested with.
/// </summary>
public sealed class TextCorpus
{
    private readonly Lazy<IReadOnlyList<IReadOnlyList<Token>>> _tokens;

    /// <param name="labelled">Texts that have a label and that a head will learn from.</param>
    /// <param name="unlabelled">All others.</param>
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

    /// <summary>So many of them, evenly, as it takes to say what the vectors of all have in common.</summary>
    public IReadOnlyList<string> ForCentre
    {
        get
        {
            var all = Labelled.Count + Unlabelled.Count;
            return [.. Labelled.Concat(Unlabelled).Where((_, i) => i % (1 + all / TrainingDefaults.TextsForCentre) == 0)];
        }
    }

    /// <summary>Of every text, the labelled ones first.</summary>
    internal IReadOnlyList<IReadOnlyList<Token>> TokensOfAll => _tokens.Value;
}
