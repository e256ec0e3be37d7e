using Headstart.Learning.Onnx;

namespace Headstart.Learning.Backbones;

/// <summary>A user's description of their own network. Values that the file or the catalogue contains may be omitted.</summary>
public sealed record BackboneDescription
{
    /// <summary>Its id; by default the file name in lower case.</summary>
    public string? Id { get; init; }

    public string? Family { get; init; }

    /// <summary>Side of its input in pixels; required if the graph does not fix it.</summary>
    public int? Size { get; init; }

    /// <summary>Subtracted from red, green and blue in 0..1; by default ImageNet's, as most networks expect.</summary>
    public IReadOnlyList<float>? Mean { get; init; }

    /// <summary>Divisor of each colour after subtracting the mean.</summary>
    public IReadOnlyList<float>? Std { get; init; }

    /// <summary>Output that contains the features; required if there are several and none comes from a classifier.</summary>
    public string? Output { get; init; }

    /// <summary>How an output with a vector for each token becomes one vector.</summary>
    public Pooling? Pooling { get; init; }

    /// <summary>The order of colours that the network was trained with; RGB by default.</summary>
    public ChannelOrder? Channels { get; init; }

    /// <summary>The space shared with a text network; none by default.</summary>
    public string? Space { get; init; }

    public string? Licence { get; init; }

    public string? Source { get; init; }

    /// <summary>Name of the file, as its owner calls it.</summary>
    public required string FileName { get; init; }

    /// <summary>An id derived from a file name without its ending.</summary>
    public static string IdOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var id = string.Concat(name.ToLowerInvariant()
            .Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' ? c : '-')).Trim('-', '.', '_');
        return id.Length > 0 ? id[..Math.Min(64, id.Length)] : "backbone";
    }

    /// <summary>The settings given here, or else those of the known backbone.</summary>
    internal NetworkReading ReadingOf(BackboneManifest? known)
    {
        var usual = known?.Reading ?? NetworkReading.Usual;
        return new(Output ?? usual.Output, Pooling ?? usual.Pooling, Channels ?? usual.Channels);
    }

    /// <summary>Whether nothing here contradicts the manifest of a known backbone.</summary>
    public bool Fits(BackboneManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var p = manifest.Preprocessing;
        return (Id is null || Id == manifest.Id) && (Size is null || Size == p.Size)
            && (Mean is null || Mean.SequenceEqual(p.Mean)) && (Std is null || Std.SequenceEqual(p.Std))
            && ReadingOf(manifest) == manifest.Reading && (Space is null || Space == manifest.Space);
    }
}
