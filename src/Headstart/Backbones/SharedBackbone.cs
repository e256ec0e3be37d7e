namespace Headstart.Backbones;

/// <summary>A backbone that was registered or fetched on one host of an installation, for all others. Its file is a blob.</summary>
public sealed class SharedBackbone
{
    public required string Id { get; init; }

    /// <summary>Of the file.</summary>
    public required byte[] Sha256 { get; init; }

    /// <summary>As JSON.</summary>
    public required string Manifest { get; init; }

    /// <summary>A user registered it, so that it can be removed.</summary>
    public required bool Registered { get; init; }

    public required DateTime CreatedAt { get; init; }

    /// <summary>From then on no host uses it.</summary>
    public DateTime? RemovedAt { get; set; }
}
