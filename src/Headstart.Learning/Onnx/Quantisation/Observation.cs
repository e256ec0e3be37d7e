using Google.Protobuf;
using Headstart.Learning.Native;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Onnx.Quantisation;

/// <summary>Runs a network on images and samples its inner tensors.</summary>
internal static class Observation
{
    /// <param name="model">The network.</param>
    /// <param name="input">Name of its image input.</param>
    /// <param name="tensors">Names of float32 tensors, <c>[1, c, …]</c>.</param>
    /// <param name="images">Preprocessed images <c>[3, S, S]</c>.</param>
    /// <param name="size">S, in pixels.</param>
    /// <exception cref="OnnxModelException">A tensor does not have this form, or there is no image.</exception>
    public static IReadOnlyDictionary<string, ActivationSamples> Run(ModelProto model, string input, IReadOnlyList<string> tensors,
        IEnumerable<float[]> images, int size)
    {
        var open = model.Clone();
        open.Graph.Output.Clear();
        open.Graph.Output.Add(tensors.Select(name => new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = 1 } }
        }));
        var samples = tensors.ToDictionary(name => name, _ => new ActivationSamples());
        using var options = OnnxRuntime.Options(threads: 1);
        using var session = new InferenceSession(open.ToByteArray(), options);
        using var run = new RunOptions();
        var seen = 0;
        foreach (var image in images)
        {
            using var value = OrtValue.CreateTensorValueFromMemory(image, [1, 3, size, size]);
            using var outputs = session.Run(run, [input], [value], tensors);
            foreach (var (i, name) in tensors.Index())
            {
                var shape = outputs[i].GetTensorTypeAndShape().Shape;
                samples[name].Add(outputs[i].GetTensorDataAsSpan<float>(), shape.Length > 1 ? (int)shape[1]
                    : throw new OnnxModelException($"The tensor '{name}' has no channels."));
            }

            seen++;
        }

        return seen > 0 ? samples : throw new OnnxModelException("There are no images to calibrate the ranges with.");
    }
}
