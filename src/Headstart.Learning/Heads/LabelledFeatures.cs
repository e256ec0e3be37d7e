using System.Numerics.Tensors;

namespace Headstart.Learning.Heads;

/// <summary>A training set as features. Each example has one label, or any number of labels if <see cref="Tags"/> are given.</summary>
/// <param name="Features"><c>[n, d]</c>, finite.</param>
/// <param name="Labels"><c>[n]</c>, each an index 0..k-1 into <paramref name="Categories"/>. With <see cref="Tags"/>, instead the number of
/// their combination, by which splits are stratified.</param>
/// <param name="Categories">The k names.</param>
public sealed record LabelledFeatures(IReadOnlyList<float[]> Features, IReadOnlyList<int> Labels, IReadOnlyList<string> Categories)
{
    /// <summary>n, the number of examples.</summary>
    public int Count => Features.Count;

    /// <summary>d, the length of a feature vector.</summary>
    public int Dimensions => Features is SparseRows sparse ? sparse.Dimensions : Features.Count == 0 ? 0 : Features[0].Length;

    /// <summary><c>[n]</c>: examples with the same number are near duplicates and stay on one side of every split; null if there are
    /// none.</summary>
    public IReadOnlyList<int>? Groups { get; init; }

    /// <summary><c>[n]</c>: the categories of each example in rising order, if it may have several or none; null if they exclude each
    /// other.</summary>
    public IReadOnlyList<int[]>? Tags { get; init; }

    /// <summary>Prior knowledge of the categories, <c>[k, d]</c>: logits from their words alone, see <c>Words.CategoryWords</c>. null if
    /// the features cannot be compared with words. Not together with <see cref="Tags"/>.</summary>
    public DenseLayer? Prior { get; init; }

    /// <summary>A set whose examples may have several labels or none.</summary>
    /// <param name="features"><c>[n, d]</c>, finite.</param>
    /// <param name="tags"><c>[n]</c>, indices into <paramref name="categories"/> in rising order.</param>
    /// <param name="categories">The k names.</param>
    public static LabelledFeatures Tagged(IReadOnlyList<float[]> features, IReadOnlyList<int[]> tags, IReadOnlyList<string> categories)
    {
        var combinations = new Dictionary<string, int>();
        return new(features, [.. tags.Select(Combination)], categories) { Tags = tags };

        int Combination(int[] labels)
        {
            combinations.TryAdd(string.Join(',', labels), combinations.Count);
            return combinations[string.Join(',', labels)];
        }
    }

    /// <summary>The categories of an example, in rising order.</summary>
    public int[] LabelsOf(int example) => Tags?[example] ?? [Labels[example]];

    /// <summary>The set as <c>[n, k]</c>, row by row: 1 where a category applies.</summary>
    internal float[] Targets()
    {
        var targets = new float[Count * Categories.Count];
        foreach (var (example, category) in Enumerable.Range(0, Count).SelectMany(i => LabelsOf(i).Select(k => (i, k))))
        {
            targets[example * Categories.Count + category] = 1;
        }

        return targets;
    }

    /// <summary>Answers as choices of one out of several, the form that calibration needs: unchanged for exclusive categories, otherwise
    /// one choice between no and yes for each category.</summary>
    /// <param name="probabilities"><c>[n][k]</c></param>
    /// <returns>Probabilities <c>[n][k]</c> or <c>[n * k][2]</c>, and the right choices.</returns>
    public (IReadOnlyList<float[]> Probabilities, IReadOnlyList<int> Right) Choices(IReadOnlyList<float[]> probabilities) =>
        Tags is null ? (probabilities, Labels)
            : ([.. probabilities.SelectMany(p => p.Select(yes => (float[])[1 - yes, yes]))], [.. Targets().Select(target => (int)target)]);

    /// <summary>The group of an example.</summary>
    internal int Group(int example) => Groups?[example] ?? example;

    /// <summary>A subset: these examples, in this order.</summary>
    public LabelledFeatures Some(IReadOnlyList<int> examples) =>
        new(Features is SparseRows sparse ? sparse.Some(examples) : examples.Select(i => Features[i]).ToArray(),
        [.. examples.Select(i => Labels[i])], Categories)
        {
            Groups = Groups is null ? null : [.. examples.Select(i => Groups[i])],
            Tags = Tags is null ? null : [.. examples.Select(i => Tags[i])],
            Prior = Prior,
        };

    /// <summary>Number of examples of each category, <c>[k]</c>.</summary>
    public int[] Support()
    {
        var support = new int[Categories.Count];
        for (var i = 0; i < Count; i++)
        {
            foreach (var label in LabelsOf(i))
            {
                support[label]++;
            }
        }

        return support;
    }

    /// <summary>Number of groups among the examples of each category, <c>[k]</c>: 1 if all of them look alike.</summary>
    public int[] Scenes()
    {
        var groups = Categories.Select(_ => new HashSet<int>()).ToArray();
        for (var i = 0; i < Count; i++)
        {
            foreach (var label in LabelsOf(i))
            {
                groups[label].Add(Group(i));
            }
        }

        return [.. groups.Select(group => group.Count)];
    }

    /// <exception cref="HeadTrainingException">There is nothing to learn from this set; the message says why.</exception>
    internal void Require()
    {
        Refuse(Categories.Count < 2, "At least two categories are needed.");
        Refuse(Features.Count != Labels.Count, $"There are {Features.Count} feature vectors and {Labels.Count} labels.");
        Refuse(Enumerable.Range(0, Labels.Count).SelectMany(LabelsOf).Any(label => label < 0 || label >= Categories.Count),
            "A label refers to a category that does not exist.");
        var support = Support();
        var smallest = Array.IndexOf(support, support.Min());
        Refuse(support[smallest] == 0, $"The category '{Categories[smallest]}' has no example to learn from; add some.");
        var everywhere = Tags is null ? -1 : Array.IndexOf(support, Count);
        Refuse(everywhere >= 0, $"Every image has the label '{Categories[Math.Max(0, everywhere)]}'; add images that lack it.");
        Refuse(Prior is not null && (Prior.Inputs != Dimensions || Prior.Outputs != Categories.Count || Tags is not null),
            "The prior of the words does not match the categories and features.");
        Refuse(Dimensions == 0 || Features is not SparseRows && Features.Any(row => row.Length != Dimensions),
            "The feature vectors do not all have the same length.");
        Refuse(Features is SparseRows sparse ? !sparse.AreFinite
            : Features.Any(row => !float.IsFinite(TensorPrimitives.MaxMagnitude<float>(row))),
            "A feature vector holds a value that is not a finite number.");
        var first = Features[0];
        Refuse(Features.Skip(1).All(row => row.AsSpan().SequenceEqual(first)),
            "All examples have identical features, so the categories cannot be told apart; add different ones, or use another backbone.");
    }

    private static void Refuse(bool condition, string sentence)
    {
        if (condition)
        {
            throw new HeadTrainingException(sentence);
        }
    }
}

/// <summary>A head cannot be trained on this set; the message is a sentence that says why.</summary>
public sealed class HeadTrainingException(string message) : Exception(message);
