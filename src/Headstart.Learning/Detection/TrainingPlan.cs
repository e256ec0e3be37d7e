using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>Length and learning rate of a training.</summary>
/// <param name="Steps">Number of batches.</param>
/// <param name="Seed">Seed of the order of the views.</param>
/// <param name="Limit">Time after which training ends early; null: no limit, and the same head each time.</param>
/// <param name="Rate">Highest learning rate.</param>
internal sealed record TrainingPlan(int Steps, int Seed, TimeSpan? Limit = null, float Rate = HighestRate)
{
    /// <param name="views">Number of views.</param>
    /// <param name="places">Places of a view; large views are used less often.</param>
    /// <param name="share">Share of a full training; 1 for training from scratch.</param>
    /// <param name="all">Sum of the shares of all trainings of the run.</param>
    public static int StepsFor(int views, int places, double share, double all)
    {
        var most = Math.Max(FewestSteps, (int)(MostWork / all / BatchViews / Math.Max(1, places)));
        return Math.Max(1, (int)(Math.Clamp(views * PassesOfViews / BatchViews, FewestSteps, most) * share));
    }

    /// <summary>Share of the training that is done, by steps or by time, whichever is more.</summary>
    public double ShareAt(int steps, TimeSpan elapsed) => Math.Max((double)steps / Steps, Limit is { } limit ? elapsed / limit : 0);

    /// <summary>Learning rate: linear warm-up, then half a cosine down to 1 % of <see cref="Rate"/>.</summary>
    public float RateAt(double share)
    {
        var warm = Math.Max(1.0 / Steps, WarmUp);
        return share < warm ? Rate * (float)Math.Min(1, (share + 1.0 / Steps) / warm)
            : Rate * (0.01f + 0.99f * (1 + MathF.Cos(MathF.PI * (float)((share - warm) / Math.Max(1e-9, 1 - warm)))) / 2);
    }
}
