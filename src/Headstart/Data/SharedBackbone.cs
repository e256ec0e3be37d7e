namespace Headstart.Data;

/// <summary>A backbone that was registered or fetched on one host of an installation, for all others. Its file is a blob.</summary>
public sealed class SharedBackbone
{
    private const string TextFolder = "text/";

    /// <summary>The backbone's; of word vectors with <c>text/</c> before, as image backbones may be called the same.</summary>
    public required string Id { get; init; }

    /// <summary>SHA-256 of the file.</summary>
    public required byte[] Sha256 { get; init; }

    /// <summary>As JSON; of word vectors the name of their file, which says everything else.</summary>
    public required string Manifest { get; init; }

    /// <summary>A user registered it, so that it can be removed.</summary>
    public required bool Registered { get; init; }

    public required DateTime CreatedAt { get; init; }

    /// <summary>From then on no host uses it.</summary>
    public DateTime? RemovedAt { get; set; }

    /// <summary>What runs call the word vectors; null for an image backbone.</summary>
    public string? TextId => Id.StartsWith(TextFolder, StringComparison.Ordinal) ? Id[TextFolder.Length..] : null;

    /// <summary>The <see cref="Id"/> of word vectors.</summary>
    public static string IdOf(string textId) => TextFolder + textId;
}
