using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Backbones;

/// <summary>Description of a backbone: a frozen network that turns an image <c>[3, S, S]</c> into a feature vector <c>[d]</c>.</summary>
public sealed partial record BackboneManifest
{
    /// <summary>The rule of <see cref="IsId"/>, as a sentence without its full stop.</summary>
    public const string IdRule = "'id' must be 1 to 64 lower-case letters, digits, dots, hyphens or underscores, starting with a letter "
        + "or digit, and not 'auto'";

    /// <summary>Unique name: lower-case letters, digits, dots, hyphens and underscores.</summary>
    public required string Id { get; init; }

    /// <summary>The architecture, for display.</summary>
    public string Family { get; init; } = "";

    /// <summary>Length d of a feature vector.</summary>
    public required int Features { get; init; }

    /// <summary>How an image becomes the network's input.</summary>
    public required Preprocessing Preprocessing { get; init; }

    /// <summary>Which output of the graph is used, and how.</summary>
    public NetworkReading Reading { get; init; } = NetworkReading.Usual;

    /// <summary>Identifies how an image enters and features leave the network: part of feature cache keys and head artifacts.</summary>
    public string InputId => Preprocessing.Id + Reading.Id;

    /// <summary>Name of the space that this network and a text network were trained to share, as in CLIP; null if none. Together they
    /// recognise a category by its name: see <see cref="Words.ImageTextPair"/>.</summary>
    public string? Space { get; init; }

    /// <summary>Published top-1 accuracy on ImageNet in percent, if any; for a network trained without labels, that of a linear layer on
    /// its features.</summary>
    public double? PublishedAccuracy { get; init; }

    /// <summary>Origin of the weights.</summary>
    public required string Source { get; init; }

    /// <summary>SPDX name of the weights' licence.</summary>
    public required string Licence { get; init; }

    /// <summary>SHA-256 of the file, lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Size of the file in bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Whether the file ends in a classifier, which <see cref="Backbone"/> cuts off.</summary>
    public bool Classifier { get; init; }

    /// <summary>Megabytes (10^6 bytes) by which a fresh process grew while the first images passed through the loaded network; see
    /// <see cref="BackboneCheck"/>. null if not measured.</summary>
    public double? MemoryPerImageMb { get; init; }

    /// <summary>SHA-256 of the original of an 8-bit form; null for all others. See <see cref="EightBitBackbone"/>.</summary>
    public string? QuantisedFrom { get; init; }

    /// <summary>The content of the file <c>name.json</c> beside <c>name.onnx</c>.</summary>
    public byte[] ToJson() => ManifestJson.Write(this);

    /// <exception cref="BackboneException">The manifest is not usable; the message says what is wrong with it.</exception>
    public static BackboneManifest Parse(ReadOnlySpan<byte> json) => ManifestJson.Parse(json);

    /// <summary>Whether a backbone may have this id.</summary>
    public static bool IsId([NotNullWhen(true)] string? id) => id is not null && id != "auto" && ValidId().IsMatch(id);

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,63}$")]
    private static partial Regex ValidId();
}

/// <summary>A backbone on this machine, its checksum verified.</summary>
public sealed record BackboneFile(BackboneManifest Manifest, string Path)
{
    /// <summary>The network, read again, because ONNX Runtime does not return the one it runs.</summary>
    /// <exception cref="BackboneException">The file is gone or has changed.</exception>
    internal OnnxGraph ReadAgain()
    {
        try
        {
            var bytes = File.ReadAllBytes(Path);
            return Convert.ToHexStringLower(SHA256.HashData(bytes)) == Manifest.Sha256 ? OnnxGraph.Parse(bytes, Manifest.Reading)
                : throw new BackboneException($"The file of the backbone '{Manifest.Id}' has changed since it was opened.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackboneException(
                $"The file of the backbone '{Manifest.Id}' can no longer be read: {exception.Message.TrimEnd('.')}.", exception);
        }
    }
}

/// <summary>A backbone that cannot be used; the message is a sentence that says why.</summary>
public sealed class BackboneException(string message, Exception? inner = null) : Exception(message, inner);
