using System.Collections.Concurrent;
using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;

namespace Headstart.Backbones;

/// <summary>
/// This host's backbones as detectors read them, each in a session of its own that all models share. A session is opened on first use:
/// most hosts and most backbones never serve a detector.
/// </summary>
public sealed class DetectorBackbones(LoadedBackbones loaded) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<DetectorBackbone?>> _open = new(); // by the SHA-256 of its file

    /// <summary>null if the host lacks the backbone or detectors cannot read it.</summary>
    public DetectorBackbone? Find(string id) => loaded.Find(id) is { } backbone ? Find(backbone) : null;

    /// <summary>null if detectors cannot read it.</summary>
    public DetectorBackbone? Find(Backbone backbone)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        return _open.GetOrAdd(backbone.Manifest.Sha256, _ => new(() => Open(backbone.File))).Value;
    }

    public void Dispose()
    {
        foreach (var opened in _open.Values.Where(opened => opened.IsValueCreated))
        {
            opened.Value?.Dispose();
        }
    }

    private static DetectorBackbone? Open(BackboneFile file)
    {
        try
        {
            return DetectorBackbone.Open(file, threads: 1); // training and predictions use the cores for several images at once
        }
        catch (BackboneException)
        {
            return null; // no such stages
        }
    }
}
