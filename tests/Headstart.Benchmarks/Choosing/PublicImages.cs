using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Tests;

namespace Headstart.Benchmarks.Choosing;

/// <summary>The images of a public set and their features from several backbones.</summary>
internal sealed class PublicImages
{
    private readonly string[] _categories;
    private readonly List<int> _labels = [];
    private readonly int[][] _train; // [k], images of a category on the set's own training side
    private readonly int[][] _test;
    private readonly Dictionary<Backbone, float[][]> _vectors = [];

    private PublicImages(string folder, List<string> files)
    {
        Name = Path.GetFileName(folder);
        _categories = [.. Directory.GetDirectories(Path.Combine(folder, "train")).Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal)];
        var test = Directory.Exists(Path.Combine(folder, "test")) ? "test" : "val";
        (_train, _test) = ([.. _categories.Select((_, k) => In("train", k))], [.. _categories.Select((_, k) => In(test, k))]);

        int[] In(string side, int category)
        {
            string[] own = [.. Directory.GetFiles(Path.Combine(folder, side, _categories[category])).Order(StringComparer.Ordinal)];
            files.AddRange(own);
            _labels.AddRange(own.Select(_ => category));
            return [.. Enumerable.Range(files.Count - own.Length, own.Length)];
        }
    }

    public string Name { get; }

    /// <summary>Indices of all images.</summary>
    public int[] All => [.. Enumerable.Range(0, _labels.Count)];

    public static async Task<PublicImages> ReadAsync(string folder, IReadOnlyList<Backbone> backbones)
    {
        var files = new List<string>();
        var images = new PublicImages(folder, files);
        foreach (var backbone in backbones)
        {
            var vectors = new float[files.Count][];
            await FeatureExtraction.ExtractAsync(backbone, files.Count, (i, cancel) => File.ReadAllBytesAsync(files[i], cancel),
                (i, vector) => vectors[i] = vector, (i, refusal) => throw new InvalidOperationException($"{files[i]}: {refusal}"),
                CancellationToken.None);
            images._vectors[backbone] = vectors;
        }

        return images;
    }

    /// <param name="split">0 for the set's own split; other numbers deal its images out again, with as many of each category on each
    /// side.</param>
    public (int[] Train, int[] Test) Sides(int split)
    {
        var (train, test) = (new List<int>(), new List<int>());
        foreach (var (own, other) in _train.Zip(_test))
        {
            int[] all = [.. own, .. other];
            if (split > 0)
            {
                new Random(split).Shuffle(all);
            }

            train.AddRange(all[..own.Length]);
            test.AddRange(all[own.Length..]);
        }

        return ([.. train], [.. test]);
    }

    /// <summary>Average number of these images per category.</summary>
    public double PerCategory(int[] images) => (double)images.Length / _categories.Length;

    public LabelledFeatures Features(FeatureRecipe recipe, IReadOnlyList<int> images) => new(
        [.. images.Select(i => recipe.Assemble([.. recipe.Backbones.Select(backbone => _vectors[backbone][i])]))],
        [.. images.Select(i => _labels[i])], _categories);
}
