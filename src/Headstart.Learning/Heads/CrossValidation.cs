using System.Numerics.Tensors;
using Headstart.Learning.Evaluation;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Heads;

/// <summary>Result of cross-validating a head on a set.</summary>
/// <param name="Accuracy">Share of correct answers on images that the fit did not see, mean over repeats, 0..1; if an image has several
/// labels, all of them must be right. null if nothing is known about new images: see <see cref="Measured"/>.</param>
/// <param name="StandardError">Standard error of <paramref name="Accuracy"/>, over images; repeats are not independent evidence and do not
/// shrink it.</param>
/// <param name="Method">The method with the lowest class-balanced cross-entropy on unseen images; a cautious one if no image is
/// measured.</param>
/// <param name="Folds">Folds per repeat; 0 if there was nothing to test a head on.</param>
/// <param name="Repeats">Number of splits that the method was tried on.</param>
/// <param name="Tested"><c>[m]</c>, indices into the set in rising order: the images that some fit did not see. A category's only image is
/// not among them.</param>
/// <param name="Measured">Positions in <paramref name="Tested"/> of the images that the accuracy is about. Excluded are categories whose
/// images all look alike, and everything if fewer than two categories are left.</param>
/// <param name="Runs">Probabilities <c>[repeats][m][k]</c> of each tested image from fits that did not see it.</param>
public sealed record CrossValidation(
    double? Accuracy, double? StandardError, HeadMethod Method, int Folds, int Repeats, IReadOnlyList<int> Tested,
    IReadOnlyList<int> Measured, IReadOnlyList<IReadOnlyList<float[]>> Runs)
{
    /// <summary><see cref="Runs"/>, averaged over the repeats: <c>[m][k]</c>.</summary>
    public IReadOnlyList<float[]> OutOfFold { get; } = Mean(Runs);

    /// <summary>Mean over the repeats, each divided by a temperature, see <see cref="Calibration"/>: <c>[m][k]</c>.</summary>
    /// <param name="temperature">See <see cref="Temperature"/>.</param>
    /// <param name="exclusive">Whether the k labels exclude each other.</param>
    public IReadOnlyList<float[]> Calibrated(double temperature, bool exclusive = true) => Calibrated(Runs, temperature, exclusive);

    /// <summary>The best temperature for the measured images; 1 if there are none.</summary>
    /// <param name="set">The set that was cross-validated.</param>
    public double Temperature(LabelledFeatures set) =>
        TemperatureOf(set, Measured);

    /// <summary><see cref="OutOfFold"/> as it would be served, <c>[m][k]</c>: each image uses the temperature of the others. So features
    /// are not blamed for an overconfident head, and no image influences its own calibration.</summary>
    /// <param name="set">The set that was cross-validated.</param>
    public IReadOnlyList<float[]> CrossCalibrated(LabelledFeatures set)
    {
        var calibrated = new float[Tested.Count][];
        foreach (var part in Enumerable.Range(0, Tested.Count).GroupBy(i => set.Group(Tested[i]) % TemperatureParts))
        {
            var temperature = TemperatureOf(set, [.. Measured.Except(part)]);
            foreach (var (i, p) in part.Zip(Calibrated(Some(part), temperature, set.Tags is null)))
            {
                calibrated[i] = p;
            }
        }

        return calibrated;
    }

    /// <param name="set">The set that was cross-validated.</param>
    /// <param name="positions">Positions in <see cref="Tested"/>.</param>
    private double TemperatureOf(LabelledFeatures set, IReadOnlyList<int> positions)
    {
        if (positions.Count == 0)
        {
            return 1;
        }

        var images = set.Some([.. positions.Select(i => Tested[i])]);
        var runs = Some(positions);
        return Calibration.Temperature([.. runs.Select(run => images.Choices(run).Probabilities)], images.Choices(runs[0]).Right);
    }

    private List<IReadOnlyList<float[]>> Some(IEnumerable<int> positions) =>
        [.. Runs.Select(run => (IReadOnlyList<float[]>)[.. positions.Select(i => run[i])])];

    private static float[][] Calibrated(IReadOnlyList<IReadOnlyList<float[]>> runs, double temperature, bool exclusive) =>
        Mean([.. runs.Select(run => run.Select(p => exclusive ? Calibration.Apply(p, temperature)
            : [.. p.Select(yes => Calibration.Apply([1 - yes, yes], temperature)[1])]).ToList())]);

    private static float[][] Mean(IReadOnlyList<IReadOnlyList<float[]>> runs)
    {
        float[][] mean = [.. runs[0].Select(p => new float[p.Length])];
        foreach (var (i, p) in runs.SelectMany(run => run.Index()))
        {
            TensorPrimitives.MultiplyAdd(p, 1f / runs.Count, mean[i], mean[i]);
        }

        return mean;
    }
}
