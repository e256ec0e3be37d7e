using System.Numerics.Tensors;
using Headstart.Learning.Evaluation;

namespace Headstart.Learning.Heads;

/// <summary>What cross-validation says about a head on this set.</summary>
/// <param name="Accuracy">
/// Share of correct answers on images the fit did not see, mean over repeats, 0..1. With several labels an image all of them must be right.
/// </param>
/// <param name="StandardError">Of <paramref name="Accuracy"/>, over images; repeats are no independent evidence and do not shrink
/// it.</param>
/// <param name="Method">The one with the lowest class-balanced cross-entropy on unseen images.</param>
/// <param name="Folds">Parts a repeat.</param>
/// <param name="Repeats">Different splits.</param>
/// <param name="Runs">Probabilities <c>[repeats][n][k]</c> of each image from fits that did not see it.</param>
public sealed record CrossValidation(
    double Accuracy, double StandardError, HeadMethod Method, int Folds, int Repeats, IReadOnlyList<IReadOnlyList<float[]>> Runs)
{
    /// <summary><see cref="Runs"/>, averaged over the repeats: <c>[n][k]</c>.</summary>
    public IReadOnlyList<float[]> OutOfFold { get; } = Mean(Runs);

    /// <summary>Averaged over the repeats after each was divided by a temperature, see <see cref="Calibration"/>: <c>[n][k]</c>.</summary>
    /// <param name="temperature">See <see cref="Temperature"/>.</param>
    /// <param name="exclusive">Whether the k labels exclude each other.</param>
    public IReadOnlyList<float[]> Calibrated(double temperature, bool exclusive = true) =>
        Mean([.. Runs.Select(run => run.Select(p => exclusive ? Calibration.Apply(p, temperature)
            : [.. p.Select(yes => Calibration.Apply([1 - yes, yes], temperature)[1])]).ToList())]);

    /// <summary>The temperature that suits best.</summary>
    /// <param name="set">What was cross-validated.</param>
    public double Temperature(LabelledFeatures set)
    {
        ArgumentNullException.ThrowIfNull(set);
        return Calibration.Temperature([.. Runs.Select(run => set.Choices(run).Probabilities)], set.Choices(Runs[0]).Right);
    }

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
