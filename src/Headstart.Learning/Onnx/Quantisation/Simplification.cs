using Headstart.Learning.Native;
using Microsoft.ML.OnnxRuntime;

namespace Headstart.Learning.Onnx.Quantisation;

/// <summary>The network after ONNX Runtime's basic optimisation, still in ONNX's own operators: constants are folded, batch normalisation
/// is merged into the weights of the layer before.</summary>
internal static class Simplification
{
    /// <exception cref="OnnxModelException">ONNX Runtime cannot load the network.</exception>
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
                model.OpsetImport.Remove(unused); // it lists all sets that it knows
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
