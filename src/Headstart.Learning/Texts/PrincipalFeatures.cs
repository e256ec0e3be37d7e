using System.Numerics.Tensors;
using Headstart.Learning.Heads;
using Headstart.Learning.Native;
using TorchSharp;
using static Headstart.Learning.TrainingDefaults;
using static TorchSharp.torch;

namespace Headstart.Learning.Texts;

/// <summary>
/// Other features in the coordinates of their principal axes, each multiplied by the square root of its standard deviation over the model's
/// texts, labelled or not. What differs most between the texts of a model then counts more than details that few labels cannot tell from
/// noise (cluster kernels: Chapelle, Weston and Schölkopf, NIPS 2002). Each vector keeps its length.
/// </summary>
internal sealed class PrincipalFeatures : TextFeatures
{
    public const string Kind = "principal";

    private readonly TextFeatures _inner;
    private readonly float[] _weights; // [r, d]
    private readonly float[] _bias; // [r]

    private PrincipalFeatures(TextFeatures inner, float[] weights, float[] bias)
    {
        (_inner, _weights, _bias) = (inner, weights, bias);
        if (weights.Length != bias.Length * inner.Length)
        {
            throw new TextFeaturesException($"'{inner.Id}' has {inner.Length} numbers, not {weights.Length} / {bias.Length}");
        }
    }

    public override string Id => _inner.Id;

    public override int Length => _bias.Length;

    internal override bool IsStatic => _inner.IsStatic;

    /// <param name="inner">Dense features.</param>
    /// <param name="corpus">Texts to find the axes from.</param>
    /// <param name="cancel">Checked before each text.</param>
    /// <returns>The inner features themselves if they do not vary.</returns>
    public static TextFeatures Fit(TextFeatures inner, TextCorpus corpus, CancellationToken cancel)
    {
        var rows = inner.Of(corpus.ForCentre, cancel);
        TorchRuntime.EnsureLoaded();
        using var scope = NewDisposeScope();
        var features = PartSpaces.ToTensor(rows);
        var space = new RowSpace(features).Longest(PrincipalAxes);
        var inputs = space.Project(features);
        var axes = space.Rows - 1;
        if (axes == 0)
        {
            return inner;
        }

        var along = inputs.narrow(1, 0, axes);
        var factors = diag((along * along).mean([0]).sqrt().sqrt());
        double[] parameters = [.. cat([factors, zeros([1, axes], float64)], 0).contiguous().data<double>()];
        var (weights, bias) = space.Unfold(parameters, axes);
        return new PrincipalFeatures(inner, weights, bias);
    }

    public static PrincipalFeatures Read(TextFeatures inner, BinaryReader reader)
    {
        float[] bias = [.. Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadSingle())];
        return new(inner, [.. Enumerable.Range(0, checked(bias.Length * inner.Length)).Select(_ => reader.ReadSingle())], bias);
    }

    internal override void Save(BinaryWriter writer)
    {
        TextFeaturesFile.WritePart(_inner, writer);
        writer.Write(_bias.Length);
        foreach (var value in (float[])[.. _bias, .. _weights])
        {
            writer.Write(value);
        }
    }

    internal override void Write(string text, IReadOnlyList<Token> tokens, FeatureRow row)
    {
        var part = new FeatureRow();
        _inner.Write(text, tokens, part);
        var values = part.Whole(_inner.Length);
        var length = TensorPrimitives.Norm<float>(values);
        if (length == 0)
        {
            return;
        }

        var along = new float[Length];
        for (var axis = 0; axis < along.Length; axis++)
        {
            along[axis] = TensorPrimitives.Dot(values, _weights.AsSpan(axis * values.Length, values.Length)) + _bias[axis];
        }

        row.AddUnit(along, length);
    }
}
