using Headstart.Learning.Backbones;

namespace Headstart.Learning.Detection;

/// <summary>
/// A backbone as detectors read it: the maps at the ends of its stages of strides 8, 16 and 32, of pictures of any size. One ONNX Runtime
/// session, which all heads of a host share; may be used from many threads at once.
/// </summary>
public sealed class DetectorBackbone : IDisposable
{
    public BackboneManifest Manifest { get; } = null!;

    /// <summary>Whether a head was trained with this backbone, read in this way.</summary>
    public bool Feeds(DetectionHead head) => throw new NotImplementedException();

    /// <param name="file">The network.</param>
    /// <param name="threads">Threads that share one picture.</param>
    /// <exception cref="BackboneException">The file cannot be loaded, or has no such stages (a transformer, SqueezeNet).</exception>
    public static DetectorBackbone Open(BackboneFile file, int threads) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
