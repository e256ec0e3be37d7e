using Headstart.Learning.Choosing;
using Headstart.Learning.Heads;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>Chooses features for texts by the cross-validated log loss of a head, with the same objective and rule as for images.</summary>
/// <param name="Chosen">The choice.</param>
/// <param name="Trials">All trials, on the same texts, best first.</param>
/// <param name="Stability">See <see cref="ChoiceRule.Stability"/>.</param>
public sealed record TextChoice(TextTrial Chosen, IReadOnlyList<TextTrial> Trials, double Stability)
{

    /// <param name="candidates">At least one, cheapest first.</param>
    /// <param name="texts">The labelled texts, <c>[n]</c>; a sample of <see cref="TrainingDefaults.ProbeTexts"/> is used if there are
    /// more.</param>
    /// <param name="labels">Their labels, indices into <paramref name="categories"/>.</param>
    /// <param name="categories">The k names.</param>
    /// <param name="seed">Decides the splits.</param>
    /// <param name="shown">Called after each trial with the trials so far.</param>
    /// <param name="cancel">Checked in every iteration of every fit.</param>
    /// <exception cref="HeadTrainingException">There is nothing to learn from this set; the message says why.</exception>
    public static TextChoice Make(
        IReadOnlyList<TextFeatures> candidates, IReadOnlyList<string> texts, IReadOnlyList<int> labels, IReadOnlyList<string> categories,
        int seed, Action<IReadOnlyList<TextTrial>>? shown, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(categories);
        int[] probe = Sample(labels, categories.Count, new Random(seed));
        string[] probed = [.. probe.Select(i => texts[i])];
        int[] probedLabels = [.. probe.Select(i => labels[i])];
        var trials = new TextTrial?[candidates.Count];
        AllCores.For(candidates.Count, Try, cancel);
        var favourite = trials[TextCandidates.Favourite(candidates)]!;
        var chosen = probe.Length < FewTextsToChoose ? favourite : ChoiceRule.Choose([.. trials.OfType<TextTrial>()], favourite);
        return new(chosen, Best(trials), ChoiceRule.Stability(trials.OfType<TextTrial>().ToList(), chosen));

        void Try(int i)
        {
            var set = new LabelledFeatures(candidates[i].Of(probed, cancel), probedLabels, categories);
            var trial = TextTrial.Run(candidates[i], set, HeadTraining.Repeats(set.Count), seed, cancel);
            lock (trials)
            {
                trials[i] = trial;
                shown?.Invoke(Best(trials));
            }
        }
    }

    /// <summary>The sample: all, or a proportional share of each category, but at least five if it has that many.</summary>
    private static int[] Sample(IReadOnlyList<int> labels, int categories, Random random)
    {
        if (labels.Count <= ProbeTexts)
        {
            return [.. Enumerable.Range(0, labels.Count)];
        }

        int[] order = [.. Enumerable.Range(0, labels.Count)];
        random.Shuffle(order);
        return [.. Enumerable.Range(0, categories).SelectMany(k => order.Where(i => labels[i] == k) is var own
            ? own.Take(Math.Max(FewTextsOfCategory, (int)((long)ProbeTexts * own.Count() / labels.Count))) : []).Order()];
    }

    private static List<TextTrial> Best(IEnumerable<TextTrial?> trials) => [.. trials.OfType<TextTrial>().OrderBy(trial => trial.LogLoss)];
}
