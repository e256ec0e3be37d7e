using Headstart.Learning.Native;
using static TorchSharp.torch;

namespace Headstart.Learning.Evaluation;

/// <summary>Images that show the same thing twice: one file scaled, compressed or retouched into another, or two shots in a row.</summary>
public static class NearDuplicates
{
    private const int Block = 1024;

    /// <summary>Pairs of images whose features are so alike that it is worth looking at them.</summary>
    /// <param name="features"><c>[n][d]</c></param>
    /// <param name="cosine">Least cosine of the angle between two.</param>
    /// <param name="cancel">Ends the work.</param>
    public static List<(int First, int Second, float Cosine)> Alike(IReadOnlyList<float[]> features, double cosine, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(features);
        TorchRuntime.EnsureLoaded();
        var pairs = new List<(int, int, float)>();
        for (var top = 0; top < features.Count; top += Block)
        {
            for (var left = top; left < features.Count; left += Block)
            {
                cancel.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var (rows, columns) = (Unit(features, top), Unit(features, left));
                var cosines = rows.mm(columns.t()).contiguous().data<float>();
                var width = (int)columns.shape[0];
                var at = 0;
                foreach (var value in cosines)
                {
                    var (first, second) = (top + at / width, left + at % width);
                    if (value >= cosine && first < second)
                    {
                        pairs.Add((first, second, value));
                    }

                    at++;
                }
            }
        }

        return pairs;
    }

    /// <summary>Which images hang together by pairs: the smallest index of its group for each, <c>[n]</c>.</summary>
    /// <param name="images">n</param>
    /// <param name="pairs">Indices of two near duplicates each.</param>
    public static int[] Groups(int images, IEnumerable<(int First, int Second)> pairs)
    {
        ArgumentNullException.ThrowIfNull(pairs);
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
        var rows = tensor(features.Skip(from).Take(count).SelectMany(row => row).ToArray(), [count, features[from].Length]);
        return TorchSharp.torch.nn.functional.normalize(rows, dim: 1);
    }
}
