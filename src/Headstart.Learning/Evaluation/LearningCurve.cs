using Headstart.Learning.Heads;

namespace Headstart.Learning.Evaluation;

/// <summary>Accuracy at one number of images.</summary>
/// <param name="Images">How many the head learned from.</param>
/// <param name="Accuracy">On images it has not seen, 0..1.</param>
public sealed record CurvePoint(int Images, double Accuracy);

/// <summary>Accuracy to expect with another number of images.</summary>
/// <param name="Images">How many.</param>
/// <param name="Accuracy">Expected, 0..1.</param>
/// <param name="Low">Lower end of the 90 % interval.</param>
/// <param name="High">Upper end of the 90 % interval.</param>
public sealed record Forecast(int Images, double Accuracy, double Low, double High);

/// <summary>
/// How the accuracy grows with the number of images: measured on parts of the images, and extrapolated by a power law, <c>error(m) = a + b
/// * m^-c</c> (Hestness et al. 2017; Cortes et al. 1994). A few noisy points do not determine three numbers, so the result averages all
/// power laws on a grid, weighted by how well they fit; the interval shows the remaining uncertainty.
/// </summary>
public sealed class LearningCurve
{
    private static readonly double[] Exponents = [.. Enumerable.Range(1, 15).Select(i => 0.1 * i)];
    // a, as a share of the error at the last point
    private static readonly double[] Floors = [.. Enumerable.Range(0, 20).Select(i => i / 20.0)];
    private static readonly double[] Offsets = [.. Enumerable.Range(-4, 9).Select(i => i / 2.0)]; // of the last point, in standard errors

    private readonly List<Law> _laws;

    private LearningCurve(IReadOnlyList<CurvePoint> points, List<Law> laws) => (Points, _laws) = (points, laws);

    private sealed record Law(double A, double B, double C, double Weight)
    {
        public double Error(double images) => Math.Clamp(A + B * Math.Pow(images, -C), 0, 1);
    }

    /// <summary>The measured points, fewest images first.</summary>
    public IReadOnlyList<CurvePoint> Points { get; }

    /// <summary>Computes the fits of a <see cref="CurvePlan"/>, which explains the parameters.</summary>
    /// <param name="set">At least two categories with four images each, and an accuracy: see <see cref="CrossValidation"/>.</param>
    /// <param name="method">How heads are fitted.</param>
    /// <param name="repeats">Number of splits.</param>
    /// <param name="seed">Decides the splits.</param>
    /// <param name="cancel">Checked in every iteration of every fit.</param>
    public static LearningCurve Measure(LabelledFeatures set, HeadMethod method, int repeats, int seed, CancellationToken cancel)
    {
        using var plan = new CurvePlan(set, method, repeats, seed);
        return plan.Conclude(plan.FitAll(cancel));
    }

    /// <summary>Fits power laws to measured points.</summary>
    /// <param name="points">At least two, fewest images first.</param>
    /// <param name="tested">How many different images each accuracy was measured on.</param>
    public static LearningCurve Fit(IReadOnlyList<CurvePoint> points, int tested)
    {
        var last = points[^1];
        double[] deviations = [.. points.Select(point => Deviation(1 - point.Accuracy, tested))];
        var laws = new List<Law>();
        foreach (var offset in Offsets)
        {
            var error = Math.Max(1e-4, 1 - last.Accuracy + offset * deviations[^1]);
            foreach (var floor in Floors)
            {
                var a = floor * error;
                foreach (var c in Exponents)
                {
                    // Close to the last point.
                    var b = (error - a) * Math.Pow(last.Images, c);
                    var law = new Law(a, b, c, 1);
                    // All points use the same images, so their errors relative to each other are smaller than their own deviations.
                    var misfit = points.Select((point, i) => Math.Pow((law.Error(point.Images) - (1 - point.Accuracy)) / deviations[i], 2))
                        .Sum();
                    // Most errors that remain with a few hundred images would go away with more: high floors are less likely.
                    laws.Add(law with { Weight = (1 - floor) * (1 - floor) * Math.Exp(-misfit / 2) });
                }
            }
        }

        var all = laws.Sum(law => law.Weight);
        return new LearningCurve(points, [.. laws.Select(law => law with { Weight = law.Weight / all })]);
    }

    /// <summary>The accuracy to expect with this many training images.</summary>
    public Forecast At(double images)
    {
        var (mean, low, high) = Expect(law => 1 - law.Error(images));
        return new Forecast((int)Math.Round(images), mean, low, high);
    }

    /// <summary>How much accuracy to expect from more images: mean and 90 % interval, 0..1.</summary>
    public (double Mean, double Low, double High) Gain(double from, double to) => Expect(law => law.Error(from) - law.Error(to));

    private (double Mean, double Low, double High) Expect(Func<Law, double> value)
    {
        var values = _laws.Select(law => (Value: value(law), law.Weight)).OrderBy(pair => pair.Value).ToList();
        return (values.Sum(pair => pair.Value * pair.Weight), Quantile(0.05), Quantile(0.95));

        double Quantile(double share)
        {
            var sum = 0.0;
            return values.First(pair => (sum += pair.Weight) >= share || pair == values[^1]).Value;
        }
    }

    private static double Deviation(double error, int tested) =>
        Math.Sqrt(Math.Max(error, 1.0 / (tested + 2)) * (1 - Math.Min(error, 1 - 1.0 / (tested + 2))) / tested);
}
