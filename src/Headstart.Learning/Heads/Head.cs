using System.Numerics.Tensors;

namespace Headstart.Learning.Heads;

/// <summary>
/// Turns features into an answer: one layer, or two with a ReLU between them. Labels exclude each other (softmax) or apply independently (a
/// sigmoid and a threshold each). The training's transformation of the features is folded into the weights. Immutable, thread-safe, and
/// without native code.
/// </summary>
public sealed class Head
{
    private readonly float[]? _thresholds;

    /// <param name="labels">The k category names.</param>
    /// <param name="output">Gives a logit for each label.</param>
    /// <param name="hidden">The layer before; null if the output layer reads the features.</param>
    /// <param name="thresholds">The probability from which each label applies, <c>[k]</c>, 0..1; null if labels exclude each other.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together.</exception>
    public Head(IReadOnlyList<string> labels, DenseLayer output, DenseLayer? hidden = null, IReadOnlyList<float>? thresholds = null)
    {
        if (output.Outputs != labels.Count || (hidden is not null && hidden.Outputs != output.Inputs)
            || (thresholds is not null && (thresholds.Count != labels.Count || !thresholds.All(threshold => threshold is >= 0 and <= 1))))
        {
            throw new ArgumentException($"{labels.Count} labels, {output.Outputs} outputs, {hidden?.Outputs} hidden units and "
                + $"{thresholds?.Count} thresholds do not make a head.");
        }

        (Labels, Output, Hidden, _thresholds) = ([.. labels], output, hidden, thresholds?.ToArray());
    }

    /// <summary>The k category names, in the order of logits and probabilities.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>The layer that gives the logits.</summary>
    public DenseLayer Output { get; }

    /// <summary>The layer before, followed by a ReLU; null in a linear head.</summary>
    public DenseLayer? Hidden { get; }

    /// <summary>The probability from which each label applies, <c>[k]</c>; null if labels exclude each other.</summary>
    public IReadOnlyList<float>? Thresholds => _thresholds;

    /// <summary>d, the length of a feature vector.</summary>
    public int Features => (Hidden ?? Output).Inputs;

    /// <summary>Parameters of all layers.</summary>
    public int TrainableParameters => Output.Parameters + (Hidden?.Parameters ?? 0);

    /// <param name="features"><c>[d]</c></param>
    /// <param name="logits">Receives <c>[k]</c>.</param>
    public void Logits(ReadOnlySpan<float> features, Span<float> logits)
    {
        if (features.Length != Features || logits.Length != Labels.Count)
        {
            throw new ArgumentException($"{features.Length} features and room for {logits.Length} logits do not fit a head of "
                + $"{Labels.Count} x {Features}.");
        }

        Output.Apply(Hidden is null ? features : Units(features), logits);
    }

    /// <summary>Index of the most probable category.</summary>
    /// <param name="features"><c>[d]</c></param>
    public int Best(ReadOnlySpan<float> features)
    {
        var logits = new float[Labels.Count];
        Logits(features, logits);
        return TensorPrimitives.IndexOfMax<float>(logits);
    }

    /// <summary>Indices of the labels that apply, in rising order: the most probable one, or all that reach their thresholds.</summary>
    /// <param name="features"><c>[d]</c></param>
    public int[] Answer(ReadOnlySpan<float> features)
    {
        if (_thresholds is null)
        {
            return [Best(features)];
        }

        var probabilities = Probabilities(features);
        return [.. Enumerable.Range(0, Labels.Count).Where(k => probabilities[k] >= _thresholds[k])];
    }

    /// <summary>Probabilities <c>[k]</c>; they add up to 1 if labels exclude each other.</summary>
    /// <param name="features"><c>[d]</c></param>
    public float[] Probabilities(ReadOnlySpan<float> features)
    {
        var probabilities = new float[Labels.Count];
        Logits(features, probabilities);
        if (_thresholds is not null)
        {
            TensorPrimitives.Sigmoid(probabilities, probabilities);
            return probabilities;
        }

        // Subtract the largest, so that exp cannot overflow.
        TensorPrimitives.Subtract(probabilities, TensorPrimitives.Max<float>(probabilities), probabilities);
        TensorPrimitives.SoftMax(probabilities, probabilities);
        return probabilities;
    }

    /// <summary>The head with its logits divided by a temperature, which calibrates its probabilities; see
    /// <see cref="Evaluation.Calibration"/>.</summary>
    /// <param name="temperature">Greater than 0.</param>
    public Head At(double temperature)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(temperature);
        return new Head(Labels, Output.DividedBy(temperature), Hidden, _thresholds);
    }

    /// <summary>The head with other <see cref="Thresholds"/>.</summary>
    public Head With(IReadOnlyList<float>? thresholds) => new(Labels, Output, Hidden, thresholds);

    /// <summary>Gradient of a label's logit at these features. If labels exclude each other, the mean of all logits is subtracted first:
    /// softmax ignores what raises all logits alike.</summary>
    /// <param name="features"><c>[d]</c>; a linear head has the same slope everywhere.</param>
    /// <param name="label">Index into <see cref="Labels"/>.</param>
    /// <returns><c>[d]</c></returns>
    public float[] Slope(ReadOnlySpan<float> features, int label)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(features.Length, Features, nameof(features));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)label, (uint)Labels.Count, nameof(label));
        var slopes = new float[Labels.Count];
        slopes.AsSpan().Fill(_thresholds is null ? -1f / Labels.Count : 0);
        slopes[label] += 1;
        var back = Output.Back(slopes);
        if (Hidden is null)
        {
            return back;
        }

        foreach (var (unit, value) in Units(features).Index())
        {
            back[unit] = value > 0 ? back[unit] : 0;
        }

        return Hidden.Back(back);
    }

    private float[] Units(ReadOnlySpan<float> features)
    {
        var units = new float[Hidden!.Outputs];
        Hidden.Apply(features, units);
        TensorPrimitives.Max(units, 0, units);
        return units;
    }
}
