using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Headstart.Learning.Onnx.Quantisation;

/// <summary>
/// Brings the channels of a tensor to similar ranges before they share 256 steps: the weights that produce a channel are divided by a
/// factor, and those that read it are multiplied. Tensors that are added to each other share their factors. Clipping limits stay valid,
/// because no channel grows beyond the largest. Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
/// Correction", ICCV 2019, with the ranges of activations instead of weights, which have a scale for each output anyway.
/// </summary>
internal sealed class Equalisation
{
    private const float Power = 0.5f; // 1 equalises fully, but makes the weights that compensate too coarse
    private const float Smallest = 0.1f; // of the largest range; channels with hardly any signal are not amplified further

    private readonly GraphIndex _graph;
    private readonly QuantisationPlan _plan;
    private readonly IReadOnlyDictionary<string, ActivationSamples> _samples;
    private readonly Dictionary<string, string> _groups = []; // of tensors that share their factors, named by one of them

    private Equalisation(GraphIndex graph, QuantisationPlan plan, IReadOnlyDictionary<string, ActivationSamples> samples)
    {
        (_graph, _plan, _samples) = (graph, plan, samples);
        foreach (var node in plan.Layers.Where(node => node.OpType is "Add" or "MaxPool"))
        {
            foreach (var input in node.Input)
            {
                _groups[GroupOf(input)] = GroupOf(plan.Result(node));
            }
        }
    }

    /// <summary>Changes the weights in place; the network's results stay the same.</summary>
    public static void Apply(GraphIndex graph, QuantisationPlan plan, IReadOnlyDictionary<string, ActivationSamples> samples)
    {
        var equalisation = new Equalisation(graph, plan, samples);
        foreach (var group in plan.Tensors.Keys.GroupBy(equalisation.GroupOf).Where(group => group.All(equalisation.IsInside)
            && group.Select(tensor => samples[tensor].Channels.Count).Distinct().Count() == 1))
        {
            equalisation.Equalise([.. group]);
        }
    }

    private string GroupOf(string tensor)
    {
        while (_groups.TryGetValue(tensor, out var next) && next != tensor)
        {
            tensor = next;
        }

        return tensor;
    }

    /// <summary>Whether only layers whose weights can compensate for a factor produce and read the tensor.</summary>
    private bool IsInside(string tensor) => _plan.Maker(tensor) is { } maker && IsOurs(maker) && !_plan.IsOutput(tensor)
        && _plan.Readers(tensor).All(reader => IsOurs(reader));

    private bool IsOurs(NodeProto node) => _plan.Layers.Contains(node) && (node.OpType is "Add" or "MaxPool"
        || (node.OpType == "Conv" && node.Input.Skip(1).All(weight => _plan.Readers(weight).Count() == 1))); // unshared weights

    private void Equalise(string[] tensors)
    {
        var seen = tensors.Select(tensor => _samples[tensor].Channels).ToList();
        var lowest = seen.Min(channels => channels.Min(range => range.Low));
        var highest = seen.Max(channels => channels.Max(range => range.High));
        var factors = new float[seen[0].Count];
        for (var channel = 0; channel < factors.Length; channel++)
        {
            var share = seen.Max(channels => Math.Max(lowest < 0 ? channels[channel].Low / lowest : 0,
                highest > 0 ? channels[channel].High / highest : 0));
            factors[channel] = MathF.Pow(Math.Clamp(share, Smallest, 1), Power);
        }

        foreach (var node in tensors.Select(tensor => _plan.Maker(tensor)!).Where(node => node.OpType == "Conv"))
        {
            Scale(node.Input[1], (output, _) => 1 / factors[output], 1);
            if (node.Input.Count > 2)
            {
                Scale(node.Input[2], (output, _) => 1 / factors[output], 1);
            }
        }

        foreach (var node in tensors.SelectMany(_plan.Readers).Where(node => node.OpType == "Conv"))
        {
            var groups = (int)(GraphIndex.Attribute(node, "group")?.I ?? 1);
            var dims = _graph.Weight(node.Input[1])!.Dims;
            var (perGroup, outputs) = ((int)dims[1], (int)dims[0]);
            Scale(node.Input[1], (output, input) => factors[output / (outputs / groups) * perGroup + input], perGroup);
        }
    }

    private void Scale(string weight, Func<int, int, float> factor, int inputs)
    {
        var tensor = _graph.Weight(weight)!;
        var values = Weights.Floats(tensor);
        var (outputs, each) = ((int)tensor.Dims[0], values.Length / (int)tensor.Dims[0] / inputs);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] *= factor(i / each / inputs, i / each % inputs);
        }

        tensor.FloatData.Clear();
        tensor.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(values));
    }
}
