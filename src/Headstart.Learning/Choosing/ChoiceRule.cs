namespace Headstart.Learning.Choosing;

/// <summary>
/// Which of several trials to use. Cross-validation on a few hundred images is noisy, and the best of twenty noisy numbers is a lucky one.
/// So the favourite, which experience speaks for, gives way only to a trial that is better by more than one standard error of their
/// difference. Then, in favour of the faster: a faster trial takes the place if it costs less than half a point even when it is one standard
/// error worse than it looks. (The usual one-standard-error rule asks only that a faster one be not clearly worse; with few images nothing is
/// clearly worse, and on our five public sets that rule cost 1 to 4 points.)
/// </summary>
public static class ChoiceRule
{
    /// <summary>What speed may cost: half a point.</summary>
    internal const double Tolerance = 0.005;

    /// <param name="trials">On the same images with the same splits; fastest first.</param>
    /// <param name="favourite">One of them.</param>
    public static Trial Choose(IReadOnlyList<Trial> trials, Trial favourite)
    {
        ArgumentNullException.ThrowIfNull(trials);
        ArgumentNullException.ThrowIfNull(favourite);
        var chosen = trials.MaxBy(trial => trial.Score)!;
        if (!IsClearlyBetter(chosen, favourite))
        {
            chosen = favourite;
        }

        return trials.FirstOrDefault(trial => IsFaster(trial, chosen) && IsAsGood(trial, chosen)) ?? chosen;
    }

    /// <summary>
    /// How far the choice is from falling on another trial, in standard errors of the difference between the two: the smallest over all
    /// trials, 0 or more; infinite where there was nothing else.
    /// </summary>
    public static double Stability(IReadOnlyList<Trial> trials, Trial chosen)
    {
        ArgumentNullException.ThrowIfNull(trials);
        return trials.Where(trial => trial != chosen).Select(trial => Distance(trial, chosen)).DefaultIfEmpty(double.PositiveInfinity).Min();
    }

    private static bool IsClearlyBetter(Trial trial, Trial than) => trial.Lead(than) is var (mean, error) && mean > error;

    private static bool IsFaster(Trial trial, Trial than) => trial.Recipe.MsPerImage < than.Recipe.MsPerImage;

    private static bool IsAsGood(Trial trial, Trial than) => than.Lead(trial) is var (mean, error) && mean + error <= Tolerance;

    /// <summary>A faster one would have to come within the tolerance, any other to be clearly better.</summary>
    private static double Distance(Trial trial, Trial chosen)
    {
        var (mean, error) = chosen.Lead(trial);
        var missing = IsFaster(trial, chosen) ? mean + error - Tolerance : mean + error;
        return error > 0 ? Math.Max(0, missing / error) : missing > 0 ? double.PositiveInfinity : 0;
    }
}
