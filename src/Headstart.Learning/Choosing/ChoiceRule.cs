namespace Headstart.Learning.Choosing;

/// <summary>
/// Which of several trials to use. Cross-validation on a few hundred images is noisy, and the best of twenty noisy numbers is a lucky one.
/// So the favourite, which experience speaks for, gives way only to the best trial, and only if that is better by more than one standard error
/// of their difference. Then, in favour of the faster: a faster trial takes the place if it would cost next to nothing even when it is one
/// standard error worse than it looks. (The usual one-standard-error rule asks only that a faster one be not clearly worse. With few images
/// nothing is clearly worse: six draws of four fifths of each of our five public sets gave a mean accuracy of 0.928 with this rule, 0.933
/// with the favourite always, and 0.919 where speed may cost half a point of accuracy.)
/// </summary>
public static class ChoiceRule
{
    /// <summary>What speed may cost, in nats of the log loss: about a third of a point of accuracy.</summary>
    internal const double Tolerance = 0.01;

    /// <param name="trials">On the same images with the same splits; fastest first.</param>
    /// <param name="favourite">One of them.</param>
    public static Trial Choose(IReadOnlyList<Trial> trials, Trial favourite)
    {
        ArgumentNullException.ThrowIfNull(trials);
        ArgumentNullException.ThrowIfNull(favourite);
        var chosen = trials.MinBy(trial => trial.LogLoss)!;
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
