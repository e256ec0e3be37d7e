using System.Numerics.Tensors;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Evaluation;

/// <summary>Predictions of similar confidence and how often they were right.</summary>
/// <param name="Confidence">Mean probability of the most probable category.</param>
/// <param name="Accuracy">Share of the predictions that were right.</param>
/// <param name="Count">Number of predictions.</param>
public sealed record ReliabilityBin(double Confidence, double Accuracy, int Count);

/// <summary>Calibrates probabilities: of the answers given with 90 %, nine in ten should be right. Dividing the logits by one number, the
/// temperature, does most of that and changes no answer (Guo et al., "On calibration of modern neural networks", ICML 2017).</summary>
public static class Calibration
{
    private const float Least = 1e-7f;
    private const int Block = 1024; // rows

    /// <summary>The temperature that makes the labels most likely; above 1 where the probabilities were overconfident. With few images it
    /// stays near 1: ten correct answers out of ten do not make the eleventh certain.</summary>
    /// <param name="runs"><c>[repeats][n][k]</c>: probabilities of the same images, from heads that did not learn from them.</param>
    /// <param name="labels"><c>[n]</c></param>
    public static double Temperature(IReadOnlyList<IReadOnlyList<float[]>> runs, IReadOnlyList<int> labels)
    {
        var classes = runs[0][0].Length;
        float[][] logits = [.. runs.Select(run => run.SelectMany(Logits).ToArray())]; // [repeats][n * k]
        var block = new float[Block * classes];
        // The loss is convex in 1 / temperature, so it has one minimum over the logarithm too: golden-section search.
        var (low, high, golden) = (Math.Log(LowestTemperature), Math.Log(HighestTemperature), (Math.Sqrt(5) - 1) / 2);
        var (left, right) = (high - golden * (high - low), low + golden * (high - low));
        var (atLeft, atRight) = (Loss(left), Loss(right));
        while (high - low > 1e-4)
        {
            if (atLeft < atRight)
            {
                (high, right, atRight) = (right, left, atLeft);
                atLeft = Loss(left = high - golden * (high - low));
            }
            else
            {
                (low, left, atLeft) = (left, right, atRight);
                atRight = Loss(right = low + golden * (high - low));
            }
        }

        return Math.Exp((low + high) / 2);

        double Loss(double logarithm)
        {
            var (temperature, loss) = ((float)Math.Exp(logarithm), 0.0);
            foreach (var run in logits)
            {
                for (var from = 0; from < labels.Count; from += Block) // many rows at once, because a row is short
                {
                    var rows = Math.Min(Block, labels.Count - from);
                    var scaled = block.AsSpan(0, rows * classes);
                    TensorPrimitives.Divide(run.AsSpan(from * classes, scaled.Length), temperature, scaled);
                    TensorPrimitives.Exp<float>(scaled, scaled);
                    for (var row = 0; row < rows; row++)
                    {
                        var ofLabel = run[(from + row) * classes + labels[from + row]] / temperature;
                        loss += Math.Min(-Math.Log(Least), Math.Log(
                            TensorPrimitives.Sum<float>(scaled.Slice(row * classes, classes))) - ofLabel);
                    }
                }
            }

            return loss / logits.Length + logarithm * logarithm / (2 * TemperatureSpread * TemperatureSpread);
        }
    }

    /// <summary>The probabilities <c>[k]</c> after dividing their logits by a temperature.</summary>
    public static float[] Apply(float[] probabilities, double temperature)
    {
        var logits = Logits(probabilities);
        TensorPrimitives.Divide(logits, (float)temperature, logits);
        TensorPrimitives.SoftMax(logits, logits);
        return logits;
    }

    /// <summary>Predictions in ten groups by confidence; empty groups are left out.</summary>
    /// <param name="probabilities"><c>[n][k]</c></param>
    /// <param name="labels"><c>[n]</c></param>
    public static IReadOnlyList<ReliabilityBin> Reliability(IReadOnlyList<float[]> probabilities, IReadOnlyList<int> labels) =>
        [.. probabilities.Zip(labels, (p, label) =>
            (Confidence: (double)TensorPrimitives.Max<float>(p), Right: TensorPrimitives.IndexOfMax<float>(p) == label))
            .GroupBy(answer => Math.Min(CalibrationBins - 1, (int)(answer.Confidence * CalibrationBins))).OrderBy(bin => bin.Key)
            .Select(bin => new ReliabilityBin(bin.Average(a => a.Confidence), bin.Average(a => a.Right ? 1.0 : 0), bin.Count()))];

    /// <summary>Expected calibration error, 0..1: the gap between confidence and accuracy of each group, averaged over the
    /// predictions.</summary>
    /// <param name="bins">See <see cref="Reliability"/>; at least one.</param>
    public static double Error(IReadOnlyList<ReliabilityBin> bins) =>
        bins.Sum(bin => bin.Count * Math.Abs(bin.Confidence - bin.Accuracy)) / bins.Sum(bin => bin.Count);

    /// <summary>Shifted so that the largest is 0.</summary>
    private static float[] Logits(float[] probabilities)
    {
        var logits = new float[probabilities.Length];
        TensorPrimitives.Max(probabilities, Least, logits);
        TensorPrimitives.Log(logits, logits);
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max<float>(logits), logits);
        return logits;
    }
}
