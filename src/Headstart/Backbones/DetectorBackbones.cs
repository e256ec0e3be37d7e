using System.Collections.Concurrent;
using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;

namespace Headstart.Backbones;

/// <summary>
/// The backbones of this host as detectors read them: a session of its own each, opened by the first who asks, as most hosts and most
/// backbones never see a detector. Shared by all models.
/// </summary>
public sealed class DetectorBackbones(LoadedBackbones loaded) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<DetectorBackbone?>> _open = new(); // by the SHA-256 of its file

    /// <summary>null where the host has no such backbone, or detectors cannot read it.</summary>
    public DetectorBackbone? Find(string id) => loaded.Find(id) is { } backbone ? Find(backbone) : null;

    /// <summary>null where detectors cannot read it.</summary>
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
            return DetectorBackbone.Open(file, threads: 1); // training and predictions fill the cores with images, not with threads
        }
        catch (BackboneException)
        {
            return null; // no such stages
        }
    }
}
