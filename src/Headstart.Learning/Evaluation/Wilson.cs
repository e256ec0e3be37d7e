namespace Headstart.Learning.Evaluation;

/// <summary>A range of plausible values, 0..1.</summary>
public sealed record Interval(double Low, double High);

/// <summary>Wilson's score interval of a proportion (E. B. Wilson, JASA 22, 1927): reliable for small samples and for proportions near 0
/// and 1, where the usual plus-or-minus formula is not.</summary>
public static class Wilson
{
    private const double Z = 1.959963984540054; // 97.5 % point of the normal distribution

    /// <summary>The 95 % interval of a proportion.</summary>
    /// <param name="successes">0..<paramref name="n"/>; fractional where trials that depend on each other count as one.</param>
    /// <param name="n">Trials; with 0 the interval is 0..1.</param>
    public static Interval Interval95(double successes, int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfNegative(successes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, n);
        if (n == 0)
        {
            return new Interval(0, 1);
        }

        var (p, z2) = (successes / n, Z * Z / n);
        var centre = (p + z2 / 2) / (1 + z2);
        var half = Z * Math.Sqrt(p * (1 - p) / n + z2 / (4 * n)) / (1 + z2);
        // At the ends the bound is exactly 0 or 1; the formula is off by rounding.
        return new Interval(successes == 0 ? 0 : centre - half, successes == n ? 1 : centre + half);
    }
}
