namespace Headstart.Learning.Detection;

/// <summary>
/// The trained part of a detector, with what it must be fed. <see cref="Detector.Detect"/> may use it from many threads at once.
/// </summary>
public sealed class DetectionHead : IDisposable
{
    /// <summary>Names, by index.</summary>
    public IReadOnlyList<string> Categories { get; } = [];

    /// <summary>Whose maps it reads.</summary>
    public string BackboneId { get; } = "";

    /// <summary>SHA-256 of the backbone's file.</summary>
    public string BackboneSha256 { get; } = "";

    /// <summary>How a picture becomes the backbone's input; longer side at the resolution.</summary>
    public string InputId { get; } = "";

    /// <summary>Pixels of the longer side of what the backbone sees.</summary>
    public int Resolution { get; }

    /// <summary>The probability of each category from which on F1 is best.</summary>
    public IReadOnlyList<float> Thresholds { get; } = [];

    /// <summary>The head as a file; the same head always gives the same bytes.</summary>
    public byte[] Write() => throw new NotImplementedException();

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="Heads.HeadArtifactException">The bytes are not a detection head, are damaged, or were written by a newer version;
    /// the message says which.</exception>
    public static DetectionHead Read(ReadOnlySpan<byte> bytes) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
