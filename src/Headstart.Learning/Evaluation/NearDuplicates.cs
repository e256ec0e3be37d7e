using Headstart.Learning.Native;
using static TorchSharp.torch;

namespace Headstart.Learning.Evaluation;

/// <summary>Images that show the same thing twice: a scaled, compressed or retouched copy, or two shots in a row.</summary>
public static class NearDuplicates
{
    private const int Block = 1024;

    /// <summary>Pairs of images with features alike enough to be compared in detail.</summary>
    /// <param name="features"><c>[n][d]</c></param>
    /// <param name="cosine">Smallest cosine of a pair.</param>
    /// <param name="cancel">Ends the work.</param>
    public static List<(int First, int Second, float Cosine)> Alike(IReadOnlyList<float[]> features, double cosine,
        CancellationToken cancel)
    {
        TorchRuntime.EnsureLoaded();
        var pairs = new List<(int, int, float)>();
        using var units = NewDisposeScope();
        var blocks = Enumerable.Range(0, (features.Count + Block - 1) / Block).Select(block => Unit(features, block * Block)).ToArray();
        foreach (var (i, rows) in blocks.Index())
        {
            foreach (var (j, columns) in blocks.Index().Skip(i))
            {
                cancel.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var cosines = rows.mm(columns.t()).contiguous().data<float>().ToArray();
                var width = (int)columns.shape[0];
                for (var at = 0; at < cosines.Length; at++)
                {
                    if (cosines[at] >= cosine && i * Block + at / width is var first && j * Block + at % width is var second
                        && first < second)
                    {
                        pairs.Add((first, second, cosines[at]));
                    }
                }
            }
        }

        return pairs;
    }

    /// <summary>Groups of images connected by pairs: for each image the smallest index in its group, <c>[n]</c>.</summary>
    /// <param name="images">n</param>
    /// <param name="pairs">Indices of two near duplicates each.</param>
    public static int[] Groups(int images, IEnumerable<(int First, int Second)> pairs)
    {
        int[] group = [.. Enumerable.Range(0, images)];
        foreach (var (first, second) in pairs)
        {
            var (one, other) = (Root(first), Root(second));
            group[Math.Max(one, other)] = Math.Min(one, other);
        }

        return [.. group.Select((_, i) => Root(i))];

        int Root(int i)
        {
            while (group[i] != i)
            {
                i = group[i] = group[group[i]];
            }

            return i;
        }
    }

    private static Tensor Unit(IReadOnlyList<float[]> features, int from)
    {
        var count = Math.Min(Block, features.Count - from);
        var values = new float[count * features[from].Length];
        for (var i = 0; i < count; i++)
        {
            features[from + i].CopyTo(values, i * features[from].Length);
        }

        var rows = tensor(values, [count, features[from].Length]);
        return TorchSharp.torch.nn.functional.normalize(rows, dim: 1);
    }
}
