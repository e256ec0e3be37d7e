using System.Runtime;

namespace Headstart.Pretraining;

/// <summary>
/// Until it is disposed, the garbage collector does not run unless more than 128 MiB are allocated. TorchSharp 0.107 makes a <c>Scalar</c>
/// of every number in a tensor operation, in its optimizers too, and the collector may free it while libtorch reads it.
/// </summary>
internal sealed class Uncollected : IDisposable
{
    private const long SetAside = 128 << 20;

    private readonly bool _began = GCSettings.LatencyMode != GCLatencyMode.NoGCRegion && GC.TryStartNoGCRegion(SetAside);

    public void Dispose()
    {
        if (_began && GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
        {
            GC.EndNoGCRegion();
        }
    }
}
