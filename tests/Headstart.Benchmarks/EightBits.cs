using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Tests;

namespace Headstart.Benchmarks;

/// <summary>
/// <c>quantise [backbone…]</c>: compares each backbone with its 8-bit form: time on one thread, likeness of the features, and accuracy of
/// heads on the test images of the five public sets, with ranges calibrated on their training images. Prints the table of
/// docs/measurements.md.
/// </summary>
internal static class EightBits
{
    private const int PhotographsOfSet = 50;

    public static int Run(string[] ids, string shared)
    {
        var photographs = Photographs(shared);
        Console.WriteLine("| backbone | ms | 8-bit | times as fast | cosine | accuracy | 8-bit | by set |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        var files = BackboneFolders.Find([BackboneFolders.BuiltIn, Path.Combine(shared, "backbones")]).Found;
        foreach (var file in files.Where(file => ids.Length == 0 || ids.Contains(file.Manifest.Id)))
        {
            var folder = Directory.CreateTempSubdirectory("headstart-quantise-");
            try
            {
                Print(file, EightBitBackbone.Make(file, photographs, folder.FullName), folder.FullName, shared);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }

        return 0;
    }

    /// <summary>The 8-bit form of a backbone, in a new folder.</summary>
    public static BackboneFile Make(string shared, string id)
    {
        var file = BackboneFolders.Find([BackboneFolders.BuiltIn, Path.Combine(shared, "backbones")]).Found
            .First(known => known.Manifest.Id == id);
        var folder = Directory.CreateTempSubdirectory("headstart-quantise-").FullName;
        var made = EightBitBackbone.Make(file, Photographs(shared), folder);
        var copy = Path.Combine(folder, "new");
        File.WriteAllBytes(copy, made.Network);
        return BackboneFolders.Place(copy, made.Manifest, folder);
    }

    private static List<byte[]> Photographs(string shared) => [.. PublicSets.Names
        .SelectMany(set => Some(Path.Combine(shared, "datasets", set, "train"), PhotographsOfSet)).Select(File.ReadAllBytes)];

    private static void Print(BackboneFile file, EightBitBackbone.Result made, string folder, string shared)
    {
        var copy = Path.Combine(folder, "new");
        File.WriteAllBytes(copy, made.Network);
        using var before = Backbone.Open(file, threads: 1);
        using var after = Backbone.Open(BackboneFolders.Place(copy, made.Manifest, folder), threads: 1);
        var sets = PublicSets.Names.Select(set => Path.Combine(shared, "datasets", set))
            .Select(set => (Before: Accuracy(before, set), After: Accuracy(after, set))).ToList();
        Console.WriteLine($"| {file.Manifest.Id} | {made.MsPerImage * made.Speedup:0.00} | {made.MsPerImage:0.00} | {made.Speedup:0.00} | "
            + $"{made.Likeness:0.0000} | {sets.Average(set => set.Before):0.0000} | {sets.Average(set => set.After):0.0000} | "
            + $"{string.Join(", ", sets.Select(set => $"{set.Before:0.000} {set.After:0.000}"))} |");
    }

    private static double Accuracy(Backbone backbone, string set)
    {
        string[] categories = [.. Directory.GetDirectories(Path.Combine(set, "train")).Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal)];
        var (features, labels) = Extract("train");
        var (tests, right) = Extract(Directory.Exists(Path.Combine(set, "test")) ? "test" : "val");
        var learned = new LabelledFeatures(features, labels, categories);
        var method = HeadTraining.CrossValidate(learned, seed: 1, CancellationToken.None, linearOnly: true).Method;
        var head = HeadTraining.Train(learned, method, CancellationToken.None);
        return tests.Zip(right, (vector, label) => head.Best(vector) == label ? 1.0 : 0).Average();

        (float[][] Features, int[] Labels) Extract(string side)
        {
            var files = categories.SelectMany((category, label) => Directory.GetFiles(Path.Combine(set, side, category))
                .Order(StringComparer.Ordinal).Select(path => (path, label))).ToArray();
            var (vectors, recipe) = (new float[files.Length][], FeatureRecipe.Of(backbone));
            Parallel.For(0, files.Length, i => vectors[i] = recipe.Extract(File.ReadAllBytes(files[i].path)));
            return (vectors, [.. files.Select(file => file.label)]);
        }
    }

    /// <summary>Some of a folder's files, evenly from all of its subfolders.</summary>
    private static IEnumerable<string> Some(string folder, int count)
    {
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        return Enumerable.Range(0, Math.Min(count, files.Length)).Select(i => files[i * files.Length / Math.Min(count, files.Length)]);
    }
}
