using System.Diagnostics;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Benchmarks.Text;

/// <summary>The text part of a training run, from the texts to the head.</summary>
internal sealed record TextTraining(TextChoice Choice, Head Head, double Seconds) : IDisposable
{
    public TextFeatures Features => Choice.Chosen.Features;

    public static TextTraining Run(TextSet labelled, IReadOnlyList<string> unlabelled, IReadOnlyList<RegisteredText> registered,
        int seed = 1, string? only = null)
    {
        var started = Stopwatch.GetTimestamp();
        var candidates = TextCandidates.Fit(new TextCorpus(labelled.Texts, unlabelled), registered, seed, null, CancellationToken.None);
        var choice = TextChoice.Make([.. candidates.Where(c => only is null || c.Id == only)], labelled.Texts, labelled.Labels,
            labelled.Categories, seed, null, CancellationToken.None);
        var set = new LabelledFeatures(choice.Chosen.Features.Of(labelled.Texts), labelled.Labels, labelled.Categories);
        var method = set.Count <= ProbeTexts ? choice.Chosen.Validation.Method
            : HeadTraining.CrossValidate(set, seed, CancellationToken.None, linearOnly: true).Method;
        return new(choice, HeadTraining.Train(set, method, CancellationToken.None), Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <returns>The answers, indices into the categories.</returns>
    public int[] Answers(IReadOnlyList<string> texts) => [.. Features.Of(texts).Select(features => Head.Best(features))];

    public double Accuracy(TextSet test) => Answers(test.Texts).Zip(test.Labels, (answer, label) => answer == label ? 1.0 : 0).Average();

    public void Dispose()
    {
        foreach (var trial in Choice.Trials)
        {
            trial.Features.Dispose();
        }
    }
}
