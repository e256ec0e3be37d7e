namespace Headstart.Backbones;

/// <summary>A backbone that was registered or fetched on one host of an installation, for all others. Its file is a blob.</summary>
public sealed class SharedBackbone
{
    private const string TextFolder = "text/";

    /// <summary>The backbone's; for word vectors, the path of their file below the folder of what is registered.</summary>
    public required string Id { get; init; }

    /// <summary>Of the file.</summary>
    public required byte[] Sha256 { get; init; }

    /// <summary>As JSON; empty for word vectors, of which their file says everything.</summary>
    public required string Manifest { get; init; }

    /// <summary>A user registered it, so that it can be removed.</summary>
    public required bool Registered { get; init; }

    public required DateTime CreatedAt { get; init; }

    /// <summary>From then on no host uses it.</summary>
    public DateTime? RemovedAt { get; set; }

    /// <summary>The name of a file of word vectors; null for an image backbone.</summary>
    public string? TextFile => Id.StartsWith(TextFolder, StringComparison.Ordinal) ? Id[TextFolder.Length..] : null;

    /// <summary>The <see cref="Id"/> of word vectors.</summary>
    public static string IdOf(string textPath) => TextFolder + Path.GetFileName(textPath);
}
