using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>Turns scores into probabilities: of objects found with 0.9, nine in ten are real (Platt 1999). Keeps their order.</summary>
internal static class DetectionCalibration
{
    private const double LeastSlope = 0.1;

    public static float Probability(float logit, float slope, float intercept) => 1 / (1 + MathF.Exp(-(slope * logit + intercept)));

    /// <summary>The most likely slope and intercept; with few outcomes, priors keep them near 1 and 0.</summary>
    /// <param name="outcomes">Probabilities at slope 1 and intercept 0, and whether the answer was right.</param>
    public static (float Slope, float Intercept) Fit(IReadOnlyList<(float Probability, bool IsRight)> outcomes)
    {
        var (slope, intercept) = (1.0, 0.0);
        double[] logits = [.. outcomes.Select(outcome => Math.Clamp(outcome.Probability, 1e-6, 1 - 1e-6))
            .Select(p => Math.Log(p / (1 - p)))];
        // Newton's method on a convex function of two variables; the priors keep the Hessian from becoming singular.
        for (var iteration = 0; iteration < 100; iteration++)
        {
            var (g0, g1) = ((slope - 1) / Square(SlopeSpread), intercept / Square(InterceptSpread));
            var (h00, h01, h11) = (1 / Square(SlopeSpread), 0.0, 1 / Square(InterceptSpread));
            for (var i = 0; i < logits.Length; i++)
            {
                var p = 1 / (1 + Math.Exp(-(slope * logits[i] + intercept)));
                var (off, weight) = (p - (outcomes[i].IsRight ? 1 : 0), p * (1 - p));
                (g0, g1) = (g0 + off * logits[i], g1 + off);
                (h00, h01, h11) = (h00 + weight * logits[i] * logits[i], h01 + weight * logits[i], h11 + weight);
            }

            var determinant = h00 * h11 - h01 * h01;
            var (step0, step1) = ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant);
            var shorten = Math.Min(1, 1 / Math.Max(Math.Abs(step0), Math.Abs(step1)));
            (slope, intercept) = (Math.Max(LeastSlope, slope - shorten * step0), intercept - shorten * step1);
            if (Math.Abs(step0) + Math.Abs(step1) < 1e-6)
            {
                break;
            }
        }

        return ((float)slope, (float)intercept);
    }

    private static double Square(double value) => value * value;
}
