using Headstart.Learning.Onnx;

namespace Headstart.Learning.Backbones;

/// <summary>A user's description of their own network. Everything that the file or the catalogue says may be omitted.</summary>
public sealed record BackboneDescription
{
    /// <summary>Its name from now on; without one, the name of the file in lower case.</summary>
    public string? Id { get; init; }

    public string? Family { get; init; }

    /// <summary>Side of its input in pixels; needed where the graph leaves it open.</summary>
    public int? Size { get; init; }

    /// <summary>Subtracted from red, green and blue of values in 0..1; without it ImageNet's, which most networks want.</summary>
    public IReadOnlyList<float>? Mean { get; init; }

    /// <summary>What remains is divided by these.</summary>
    public IReadOnlyList<float>? Std { get; init; }

    /// <summary>Which output of the network is the features; needed where there are several and none comes from a classifier.</summary>
    public string? Output { get; init; }

    /// <summary>What becomes of an output with a vector for each token.</summary>
    public Pooling? Pooling { get; init; }

    /// <summary>The order of colours that the network was trained with; RGB without it.</summary>
    public ChannelOrder? Channels { get; init; }

    /// <summary>The space that it shares with a text network; none without it.</summary>
    public string? Space { get; init; }

    public string? Licence { get; init; }

    public string? Source { get; init; }

    /// <summary>How its owner calls the file.</summary>
    public required string FileName { get; init; }

    /// <summary>An id that resembles the name of a file without its ending.</summary>
    public static string IdOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var id = string.Concat(name.ToLowerInvariant()
            .Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' ? c : '-')).Trim('-', '.', '_');
        return id.Length > 0 ? id[..Math.Min(64, id.Length)] : "backbone";
    }

    /// <summary>As it says, and else as it is known to be read.</summary>
    internal NetworkReading ReadingOf(BackboneManifest? known)
    {
        var usual = known?.Reading ?? NetworkReading.Usual;
        return new(Output ?? usual.Output, Pooling ?? usual.Pooling, Channels ?? usual.Channels);
    }

    /// <summary>Has it nothing that would contradict the manifest of a backbone that is known already?</summary>
    public bool Fits(BackboneManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var p = manifest.Preprocessing;
        return (Id is null || Id == manifest.Id) && (Size is null || Size == p.Size)
            && (Mean is null || Mean.SequenceEqual(p.Mean)) && (Std is null || Std.SequenceEqual(p.Std))
            && ReadingOf(manifest) == manifest.Reading && (Space is null || Space == manifest.Space);
    }
}
