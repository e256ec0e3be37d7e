using Headstart.Learning.Native;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Onnx.Quantisation;

/// <summary>
/// What ONNX Runtime makes of a network before it runs it, still in ONNX's own operators: constants computed, batch normalisation in the
/// weights of the layer before.
/// </summary>
internal static class Simplification
{
    /// <exception cref="OnnxModelException">ONNX Runtime does not take the network.</exception>
    public static ModelProto Of(byte[] network)
    {
        OnnxRuntime.EnsureLoaded();
        var file = Path.GetTempFileName();
        try
        {
            using (var options = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC,
                OptimizedModelFilePath = file,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            })
            {
                new InferenceSession(network, options).Dispose();
            }

            var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(file));
            var used = model.Graph.Node.Select(node => node.Domain).ToHashSet();
            foreach (var unused in model.OpsetImport.Where(set => !OpsetUpgrade.IsOnnx(set.Domain) && !used.Contains(set.Domain)).ToList())
            {
                model.OpsetImport.Remove(unused); // it names all that it knows
            }

            return model;
        }
        catch (OnnxRuntimeException exception)
        {
            throw new OnnxModelException($"The network cannot be loaded: {exception.Message.TrimEnd('.')}.", exception);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
