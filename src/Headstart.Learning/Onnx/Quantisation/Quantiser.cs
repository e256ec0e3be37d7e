using Google.Protobuf;

namespace Headstart.Learning.Onnx.Quantisation;

/// <summary>
/// Converts a convolutional network from 32 to 8 bits: integer weights with a scale for each output, and activations in 256 steps whose
/// ranges are calibrated on photographs. Every rounding is a pair of QuantizeLinear and DequantizeLinear, which ONNX Runtime fuses into
/// integer layers. Tensors keep their names, so that the network can still be cut at the same places; their channels differ by constant
/// factors where <see cref="Equalisation"/> scaled them. Features are averages in float32, and matrices stay float32. Source: Nagel et al.,
/// "A White Paper on Neural Network Quantization", 2021, section 3.
/// </summary>
public static class Quantiser
{
    private const long Opset = 13; // the first with a scale for each output
    private const long NewOpset = 18; // for older networks; the set that OpsetUpgrade targets elsewhere

    /// <param name="network">An ONNX network with one image input, float32.</param>
    /// <param name="images">Preprocessed images <c>[3, S, S]</c> to calibrate ranges; a hundred varied ones are plenty.</param>
    /// <param name="size">S, in pixels.</param>
    /// <param name="input">Lowest and highest possible value of a preprocessed image.</param>
    /// <exception cref="OnnxModelException">The network has no layer that can be computed with 8 bits, or is damaged.</exception>
    public static byte[] Quantise(byte[] network, IEnumerable<float[]> images, int size, (float Low, float High) input)
    {
        var model = Simplification.Of(network);
        if (OpsetUpgrade.VersionOf(model) < Opset)
        {
            OpsetUpgrade.Apply(model, NewOpset);
            model.OpsetImport.First(set => OpsetUpgrade.IsOnnx(set.Domain)).Version = NewOpset;
        }

        GraphChecks.Check(model);
        var index = new GraphIndex(model.Graph);
        var plan = new QuantisationPlan(index);
        if (!plan.Weighted.Any())
        {
            throw new OnnxModelException("The network has no layer that can be computed with 8 bits.");
        }

        string[] inner = [.. plan.Tensors.Keys.Where(name => name != index.Input)];
        Equalisation.Apply(index, plan, Observation.Run(model, index.Input, inner, images, size));
        var samples = Observation.Run(model, index.Input, inner, images, size);
        var ranges = new Dictionary<string, EightBits>();
        foreach (var tensor in plan.Tensors.Values)
        {
            ranges[tensor.Name] = tensor.Name == index.Input ? EightBits.Of(input.Low, input.High)
                : tensor.SameAs is { } other ? ranges[other]
                : samples[tensor.Name].Range();
        }

        new Rewriting(index, plan, ranges, samples).Apply();
        return model.ToByteArray();
    }
}
