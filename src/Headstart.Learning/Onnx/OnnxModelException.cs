namespace Headstart.Learning.Onnx;

/// <summary>An ONNX file that cannot be used; the message is a sentence that says why.</summary>
public sealed class OnnxModelException(string message, Exception? inner = null) : Exception(message, inner);
