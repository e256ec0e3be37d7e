using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>How long and how fast a head learns.</summary>
/// <param name="Steps">Batches.</param>
/// <param name="Seed">Decides the order of the views.</param>
/// <param name="Limit">After which it ends all the same; null for none, and the same head each time.</param>
/// <param name="Rate">Highest rate of learning.</param>
internal sealed record TrainingPlan(int Steps, int Seed, TimeSpan? Limit = null, float Rate = HighestRate)
{
    /// <param name="views">To learn from.</param>
    /// <param name="places">Of a view: large views are seen less often.</param>
    /// <param name="share">Of a training from the start; 1 for the whole.</param>
    /// <param name="all">Shares of all trainings of the run.</param>
    public static int StepsFor(int views, int places, double share, double all)
    {
        var most = Math.Max(FewestSteps, (int)(MostWork / all / BatchViews / Math.Max(1, places)));
        return Math.Max(1, (int)(Math.Clamp(views * PassesOfViews / BatchViews, FewestSteps, most) * share));
    }

    /// <summary>Of the training, by steps or by time.</summary>
    public double ShareAt(int steps, TimeSpan elapsed) => Math.Max((double)steps / Steps, Limit is { } limit ? elapsed / limit : 0);

    /// <summary>Warm-up, then half a cosine.</summary>
    public float RateAt(double share)
    {
        var warm = Math.Max(1.0 / Steps, WarmUp);
        return share < warm ? Rate * (float)Math.Min(1, (share + 1.0 / Steps) / warm)
            : Rate * (0.01f + 0.99f * (1 + MathF.Cos(MathF.PI * (float)((share - warm) / Math.Max(1e-9, 1 - warm)))) / 2);
    }
}
