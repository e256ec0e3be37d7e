using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Evaluation;

/// <summary>Compares two sets of answers to the same questions by drawing the questions again, with replacement, a thousand times (Efron
/// 1979). Pairing removes what makes some questions hard for both.</summary>
public static class PairedBootstrap
{
    /// <summary>90 % interval of the second accuracy minus the first, -1..1.</summary>
    /// <param name="first"><c>[n]</c>: whether each answer was right; at least one.</param>
    /// <param name="second"><c>[n]</c></param>
    /// <param name="seed">Decides the draws.</param>
    public static (double Low, double High) Difference(IReadOnlyList<bool> first, IReadOnlyList<bool> second, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfZero(first.Count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(second.Count, first.Count);
        var random = new Random(seed);
        int[] differences = [.. first.Zip(second, (one, other) => (other ? 1 : 0) - (one ? 1 : 0))];
        var means = new double[BootstrapDraws];
        foreach (ref var mean in means.AsSpan())
        {
            var sum = 0;
            for (var i = 0; i < differences.Length; i++)
            {
                sum += differences[random.Next(differences.Length)];
            }

            mean = (double)sum / differences.Length;
        }

        Array.Sort(means);
        return (means[(int)(BootstrapTail * BootstrapDraws)], means[(int)((1 - BootstrapTail) * BootstrapDraws) - 1]);
    }
}
