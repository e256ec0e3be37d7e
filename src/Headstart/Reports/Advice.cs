using System.Globalization;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Reports;

/// <summary>What would improve the model most, in words.</summary>
internal static class Advice
{
    /// <summary>
    /// More images of the category that would gain most. If only one category grows, only the errors that involve it shrink, as if the
    /// whole set had grown like it; each error involves two categories, the true and the predicted one.
    /// </summary>
    /// <returns>null if nothing would help much.</returns>
    public static AdviceReport? Of(LearningCurve curve, Evaluation evaluation, LabelledFeatures train, string what)
    {
        var support = train.Support();
        var errors = evaluation.Mistakes;
        var best = Enumerable.Range(0, support.Length).Where(k => support[k] > 0 && errors[k] > 0)
            .Select(k => (Category: k, Share: (double)errors[k] / errors.Sum(),
                Images: AdvisedAmounts.LastOrDefault(amount => amount <= support[k], AdvisedAmounts[0])))
            .Select(more => (more.Category, more.Images, more.Share,
                Gain: curve.Gain(train.Count, train.Count * (1.0 + (double)more.Images / support[more.Category]))))
            .DefaultIfEmpty().MaxBy(more => more.Share * more.Gain.Mean);
        var (gain, low, high) = (best.Share * best.Gain.Mean, best.Share * best.Gain.Low, best.Share * best.Gain.High);
        return gain < WorthSaying ? null : new(train.Categories[best.Category], best.Images, gain, [low, high],
            string.Create(CultureInfo.InvariantCulture,
            $"Adding about {best.Images} {what} of {train.Categories[best.Category]} should raise accuracy by {Points((gain, low, high))}, "
            + $"more than for any other category. Doubling all categories should raise it by {Points(Doubled(curve, train.Count))}."));
    }

    /// <summary>The sentence if there is no advice.</summary>
    public static string Nothing(LearningCurve? curve, int images, string what) =>
        curve is null ? $"There are few {what} yet: adding more of every category will help most."
        : Doubled(curve, images) is var gain && gain.Mean >= WorthSaying
            ? $"Doubling the {what} of every category should raise accuracy by {Points(gain)}."
        : $"More {what} like these would hardly raise accuracy; add {what} from real use instead.";

    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");

    private static (double Mean, double Low, double High) Doubled(LearningCurve curve, int images) => curve.Gain(images, 2 * images);

    private static string Points((double Mean, double Low, double High) gain) => string.Create(CultureInfo.InvariantCulture,
        $"about {100 * gain.Mean:0.#} percentage {(Math.Round(100 * gain.Mean, 1) == 1 ? "point" : "points")} ({100 * gain.Low:0.#} to "
            + $"{100 * gain.High:0.#})");
}
