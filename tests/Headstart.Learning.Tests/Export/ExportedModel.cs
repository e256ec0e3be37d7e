using Headstart.Learning.Export;
using Headstart.Learning.Native;
using Microsoft.ML.OnnxRuntime;
using NetVips;

namespace Headstart.Learning.Tests.Export;

/// <summary>An exported file as a user's program has it: pixels in, an answer out.</summary>
internal sealed class ExportedModel : IDisposable
{
    private readonly SessionOptions _options;
    private readonly InferenceSession _session;

    public ExportedModel(byte[] file)
    {
        OnnxRuntime.EnsureLoaded();
        _options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        _session = new InferenceSession(file, _options);
    }

    public IReadOnlyDictionary<string, string> Metadata => _session.ModelMetadata.CustomMetadataMap;

    public (float[] Probabilities, float Nearness, bool Unknown) Ask(byte[] file)
    {
        VipsRuntime.EnsureLoaded();
        using var image = Image.NewFromBuffer(file); // all of it: nothing is shrunk while it is read
        using var upright = image.Autorot();
        using var srgb = upright.Colourspace(Enums.Interpretation.Srgb);
        using var opaque = srgb.HasAlpha() ? srgb.Flatten(background: [255, 255, 255]) : srgb.Copy();
        using var pixels = OrtValue.CreateTensorValueFromMemory(opaque.WriteToMemory<byte>(), [opaque.Height, opaque.Width, 3]);
        using var run = new RunOptions();
        string[] wanted = [ModelExport.Probabilities, ModelExport.Nearness, ModelExport.Unknown];
        using var answer = _session.Run(run, [ModelExport.Image], [pixels], wanted);
        return (answer[0].GetTensorDataAsSpan<float>().ToArray(), answer[1].GetTensorDataAsSpan<float>()[0],
            answer[2].GetTensorDataAsSpan<bool>()[0]);
    }

    public void Dispose()
    {
        _session.Dispose();
        _options.Dispose();
    }
}
