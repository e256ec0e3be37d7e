using System.Numerics.Tensors;
using Headstart.Learning.Evaluation;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Heads;

/// <summary>What cross-validation says about a head on this set.</summary>
/// <param name="Accuracy"> Share of correct answers on images the fit did not see, mean over repeats, 0..1. With several labels an image
/// all of them must be right. null where nothing can be said about new images: see <see cref="Measured"/>.
/// </param>
/// <param name="StandardError">Of <paramref name="Accuracy"/>, over images; repeats are no independent evidence and do not shrink
/// it.</param>
/// <param name="Method">The one with the lowest class-balanced cross-entropy on unseen images; a cautious one where none are
/// measured.</param>
/// <param name="Folds">Parts a repeat; 0 where there was nothing to try a head on.</param>
/// <param name="Repeats">Different splits.</param>
/// <param name="Tested"><c>[m]</c>, indices into the set in rising order: the images that some fit did not see. Not among them: a
/// category's only image.</param>
/// <param name="Measured">Positions in <paramref name="Tested"/> of the images that the accuracy is about. Not among them: those of a
/// category whose images all look alike, and all where fewer than two categories are left.</param>
/// <param name="Runs">Probabilities <c>[repeats][m][k]</c> of each tested image from fits that did not see it.</param>
public sealed record CrossValidation(
    double? Accuracy, double? StandardError, HeadMethod Method, int Folds, int Repeats, IReadOnlyList<int> Tested,
    IReadOnlyList<int> Measured, IReadOnlyList<IReadOnlyList<float[]>> Runs)
{
    /// <summary><see cref="Runs"/>, averaged over the repeats: <c>[m][k]</c>.</summary>
    public IReadOnlyList<float[]> OutOfFold { get; } = Mean(Runs);

    /// <summary>Averaged over the repeats after each was divided by a temperature, see <see cref="Calibration"/>: <c>[m][k]</c>.</summary>
    /// <param name="temperature">See <see cref="Temperature"/>.</param>
    /// <param name="exclusive">Whether the k labels exclude each other.</param>
    public IReadOnlyList<float[]> Calibrated(double temperature, bool exclusive = true) => Calibrated(Runs, temperature, exclusive);

    /// <summary>The temperature that suits the measured images best; 1 where there are none.</summary>
    /// <param name="set">What was cross-validated.</param>
    public double Temperature(LabelledFeatures set) =>
        TemperatureOf(set, Measured);

    /// <summary>
    /// <see cref="OutOfFold"/> as it would be served, <c>[m][k]</c>: each image at the temperature that suits the others. So features are
    /// not blamed for a head that is too sure of itself, and an image has no say in how it is judged.
    /// </summary>
    /// <param name="set">What was cross-validated.</param>
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

    /// <param name="set">What was cross-validated.</param>
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
