using Headstart.Data;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Versions;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>A version that a run made and may publish.</summary>
/// <param name="Data">The run's examples.</param>
/// <param name="TestIds">The held-out examples to compare on; its head has not learned from them.</param>
public abstract record Candidate(Dataset Data, IReadOnlyList<Guid> TestIds)
{
    /// <summary>The compared metric, as the end of a sentence (" of ..."); empty for accuracy.</summary>
    public virtual string Of => "";

    /// <summary>How much better it is than the published version on the held-out examples, with the 90 % interval.</summary>
    /// <param name="db">The database with the examples.</param>
    /// <param name="published">The published version, with a head that has not learned from the examples either.</param>
    /// <param name="renamed">The current name of a label of that head.</param>
    /// <param name="progress">0 to 1.</param>
    /// <param name="cancel">Cancels the comparison.</param>
    internal abstract Task<(double Difference, double Low, double High)> CompareAsync(
        HeadstartDb db, ServedVersion published, Func<string, string> renamed, IProgress<double> progress, CancellationToken cancel);

    /// <summary>The same candidate, compared only on examples that the published version has not learned from.</summary>
    /// <param name="learned">The SHA-256 of the examples to leave out, as hex.</param>
    internal Candidate Without(HashSet<string> learned)
    {
        var known = Data.Test.Where(item => learned.Contains(Convert.ToHexString(item.Sha256))).Select(item => item.ExampleId).ToHashSet();
        return Only([.. TestIds.Index().Where(test => !known.Contains(test.Item)).Select(test => test.Index)]);
    }

    /// <summary>The same candidate, compared only on the examples with these indices.</summary>
    private protected abstract Candidate Only(int[] others);
}

/// <summary>A head on feature vectors, compared by its share of right answers.</summary>
/// <param name="Test">The held-out examples, as in <paramref name="TestIds"/>.</param>
/// <param name="Head">A head not trained on them.</param>
public sealed record ClassifierCandidate(Dataset Data, LabelledFeatures Test, IReadOnlyList<Guid> TestIds, Head Head,
    IRunFeatures Features) : Candidate(Data, TestIds)
{
    internal override async Task<(double Difference, double Low, double High)> CompareAsync(
        HeadstartDb db, ServedVersion published, Func<string, string> renamed, IProgress<double> progress, CancellationToken cancel)
    {
        var before = (ServedClassifier)published;
        var items = Data.Train.Concat(Data.Test).ToDictionary(item => item.ExampleId);
        var read = await Features.ReadAsync(db, before.Features, [.. TestIds.Select(id => items[id])], progress, cancel);
        var vectors = read.Items.Zip(read.Vectors).ToDictionary(pair => pair.First.ExampleId, pair => pair.Second);
        string[][] truth = [.. Enumerable.Range(0, Test.Count)
            .Select(i => Test.LabelsOf(i).Select(label => Data.Categories[label]).ToArray())];
        bool[] then = [.. TestIds.Zip(truth, (id, labels) =>
            vectors.TryGetValue(id, out var vector) && IsRight(before.Head, vector, labels, renamed))];
        bool[] now = [.. Test.Features.Zip(truth, (vector, labels) => IsRight(Head, vector, labels, label => label))];
        var (low, high) = PairedBootstrap.Difference(then, now, ComparisonSeed);
        return (now.Average(right => right ? 1.0 : 0) - then.Average(right => right ? 1.0 : 0), low, high);
    }

    private protected override Candidate Only(int[] others) =>
        this with { Test = Test.Some(others), TestIds = [.. others.Select(i => TestIds[i])] };

    /// <param name="renamed">The current name of a label of the head.</param>
    private static bool IsRight(Head head, float[] features, string[] labels, Func<string, string> renamed) =>
        head.Answer(features).Select(label => renamed(head.Labels[label])).Distinct().Order(StringComparer.Ordinal).SequenceEqual(labels);
}
