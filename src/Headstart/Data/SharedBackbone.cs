using System.Text;
using System.Text.Json;
using Headstart.Learning.Backbones;

namespace Headstart.Data;

/// <summary>A backbone registered or downloaded on one host, shared with all others. Its file is a blob.</summary>
public sealed class SharedBackbone
{
    private const string TextFolder = "text/";

    /// <summary>Id of the backbone; word vectors have the prefix <c>text/</c>, because an image backbone may have the same id.</summary>
    public required string Id { get; init; }

    /// <summary>SHA-256 of the file.</summary>
    public required byte[] Sha256 { get; init; }

    /// <summary>The manifest as JSON; for word vectors the name of their file, which says everything else.</summary>
    public required string Manifest { get; init; }

    /// <summary>Whether a user registered it, so that it can be removed.</summary>
    public required bool Registered { get; init; }

    public required DateTime CreatedAt { get; init; }

    /// <summary>When it was removed; no host uses it any more.</summary>
    public DateTime? RemovedAt { get; set; }

    /// <summary>Id of the word vectors in training runs; null for an image backbone.</summary>
    public string? TextId => Id.StartsWith(TextFolder, StringComparison.Ordinal) ? Id[TextFolder.Length..] : null;

    /// <exception cref="BackboneException">It is none, for example of a newer program.</exception>
    public BackboneManifest ReadManifest() => BackboneManifest.Parse(Encoding.UTF8.GetBytes(Manifest));

    /// <summary>The name of the file of word vectors.</summary>
    public string ReadFileName() => JsonSerializer.Deserialize<string>(Manifest)!;

    /// <summary>The <see cref="Id"/> of word vectors.</summary>
    public static string IdOf(string textId) => TextFolder + textId;
}
