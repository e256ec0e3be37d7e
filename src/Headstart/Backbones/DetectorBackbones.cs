using System.Runtime.CompilerServices;
using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;
using Headstart.Learning.Onnx;

namespace Headstart.Backbones;

/// <summary>
/// This host's backbones as detectors read them, each in a session of its own that all models share. A session is opened on first use:
/// most hosts and most backbones never serve a detector.
/// </summary>
public sealed class DetectorBackbones(LoadedBackbones loaded) : IDisposable
{
    // A removed backbone takes its entry along once nothing uses it, and so the session, which its finalizer closes.
    private readonly ConditionalWeakTable<Backbone, Lazy<DetectorBackbone>> _open = [];

    /// <summary>null if the host lacks the backbone or detectors cannot read it.</summary>
    public DetectorBackbone? Find(string id) => loaded.Find(id) is { } backbone ? Find(backbone) : null;

    /// <summary>null if detectors cannot read it.</summary>
    public DetectorBackbone? Find(Backbone backbone)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        // Training and predictions use the cores for several images at once.
        var opening = _open.GetValue(backbone, key => new(() => DetectorBackbone.Open(key.File, threads: 1)));
        try
        {
            return opening.Value;
        }
        catch (Exception e)
        {
            if (e.GetBaseException() is not (BackboneException or OnnxModelException))
            {
                _open.Remove(backbone); // a disk or memory, which may recover; the Lazy keeps that there are no such stages
            }

            if (e is BackboneException)
            {
                return null;
            }

            throw;
        }
    }

    public void Dispose()
    {
        foreach (var (_, opened) in _open.Where(opened => opened.Value.IsValueCreated))
        {
            opened.Value.Dispose();
        }
    }
}
