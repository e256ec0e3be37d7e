using Google.Protobuf;
using Headstart.Learning.Backbones;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Detection;

/// <summary>The head in ONNX Runtime, on all processors. May be used from many threads at once.</summary>
internal sealed class OnnxHead : IDisposable
{
    private readonly SessionOptions _options = Backbone.Options(threads: 1);
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();

    /// <param name="network">The head.</param>
    /// <param name="parameters"><c>[network.Length]</c></param>
    public OnnxHead(HeadNetwork network, float[] parameters)
    {
        try
        {
            _session = new InferenceSession(OnnxOperators.Model(network, parameters).ToByteArray(), _options);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="DetectionHead.Ask"/>
    public T Ask<T>(StageMaps maps, Func<ReadOnlySpan<float>, ReadOnlySpan<float>, T> use)
    {
        using var outputs = _session.Run(_run, _session.InputNames, maps.Values, _session.OutputNames);
        return use(outputs[0].GetTensorDataAsSpan<float>(), outputs[1].GetTensorDataAsSpan<float>());
    }

    public void Dispose()
    {
        _session?.Dispose();
        _run.Dispose();
        _options.Dispose();
    }
}
