namespace Headstart.Learning.Heads;

/// <summary>A training set after the backbone.</summary>
/// <param name="Features"><c>[n, d]</c>, finite.</param>
/// <param name="Labels"><c>[n]</c>, each an index 0..k-1 into <paramref name="Categories"/>.</param>
/// <param name="Categories">The k names.</param>
public sealed record LabelledFeatures(IReadOnlyList<float[]> Features, IReadOnlyList<int> Labels, IReadOnlyList<string> Categories)
{
    /// <summary>n, the number of examples.</summary>
    public int Count => Features.Count;

    /// <summary>d, the length of a feature vector.</summary>
    public int Dimensions => Features.Count == 0 ? 0 : Features[0].Length;

    /// <summary>
    /// <c>[n]</c>: examples of the same number are near duplicates and stay on one side of every split; null where each stands for itself.
    /// </summary>
    public IReadOnlyList<int>? Groups { get; init; }

    /// <summary>The group of an example.</summary>
    internal int Group(int example) => Groups?[example] ?? example;

    /// <summary>These examples, in this order.</summary>
    public LabelledFeatures Some(IReadOnlyList<int> examples) => new([.. examples.Select(i => Features[i])], [.. examples.Select(i => Labels[i])], Categories)
    {
        Groups = Groups is null ? null : [.. examples.Select(i => Groups[i])],
    };

    /// <summary>Examples of each category, <c>[k]</c>.</summary>
    public int[] Support()
    {
        var support = new int[Categories.Count];
        foreach (var label in Labels)
        {
            support[label]++;
        }

        return support;
    }

    /// <exception cref="HeadTrainingException">There is nothing to learn from this set; the message says why.</exception>
    internal void Require(int perCategory)
    {
        Refuse(Categories.Count < 2, "At least two categories are needed.");
        Refuse(Features.Count != Labels.Count, $"There are {Features.Count} feature vectors and {Labels.Count} labels.");
        Refuse(Labels.Any(label => label < 0 || label >= Categories.Count), "A label names a category that does not exist.");
        var support = Support();
        var smallest = Array.IndexOf(support, support.Min());
        Refuse(support[smallest] < perCategory,
            $"The category '{Categories[smallest]}' has {support[smallest]} of the {perCategory} images it needs at least.");
        Refuse(Dimensions == 0 || Features.Any(row => row.Length != Dimensions), "The feature vectors do not all have the same length.");
        Refuse(Features.Any(row => !row.All(float.IsFinite)), "A feature vector holds a value that is not a finite number.");
        Refuse(Features.Skip(1).All(row => row.AsSpan().SequenceEqual(Features[0])),
            "All images look exactly the same to the backbone: there is nothing to tell the categories apart by.");
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
