namespace Headstart.Learning.Heads;

/// <summary>
/// A trained head and the identity of the features it reads. The contents of its file (<see cref="ArtifactFile"/>): number of parts (int32)
/// and for each part backbone id, backbone SHA-256, preprocessing id and section, then k (int32) and k labels, the number of thresholds
/// (int32; 0 if labels exclude each other) and those (float32), the number of layers (int32; 1 or 2, the hidden one first) and for each its
/// inputs d and outputs k (int32), weights <c>[k, d]</c> and bias <c>[k]</c> (float32), the number of known directions (int32), those
/// <c>[m, d]</c> (float32) and their threshold (float64). The same head always gives the same bytes.
/// </summary>
public sealed record HeadArtifact(IReadOnlyList<ArtifactPart> Parts, Head Head, NoveltyDetector Known)
{
    /// <summary>The version written, which is the only one that can be read.</summary>
    public const int FormatVersion = 4;

    private static readonly ArtifactFile Format = new("head", "HSTHEAD\n", FormatVersion);

    /// <summary>The head as a file.</summary>
    public byte[] Write() => Format.Write(writer =>
    {
        writer.Write(Parts.Count);
        foreach (var text in Parts.SelectMany(part => (string[])[part.BackboneId, part.BackboneSha256, part.PreprocessingId, part.Section]))
        {
            ArtifactFile.WriteString(writer, text);
        }

        writer.Write(Head.Labels.Count);
        foreach (var label in Head.Labels)
        {
            ArtifactFile.WriteString(writer, label);
        }

        writer.Write(Head.Thresholds?.Count ?? 0);
        WriteFloats(writer, [.. Head.Thresholds ?? []]);
        DenseLayer[] layers = Head.Hidden is null ? [Head.Output] : [Head.Hidden, Head.Output];
        writer.Write(layers.Length);
        foreach (var layer in layers)
        {
            writer.Write(layer.Inputs);
            writer.Write(layer.Outputs);
            WriteFloats(writer, layer.Weights.Span);
            WriteFloats(writer, layer.Bias.Span);
        }

        writer.Write(Known.Directions.Count);
        foreach (var direction in Known.Directions)
        {
            WriteFloats(writer, direction);
        }

        writer.Write(Known.Threshold);
    });

    /// <summary>Reads a file made by <see cref="Write"/>.</summary>
    /// <exception cref="HeadArtifactException">
    /// The bytes are not a head, are damaged, cut short or extended, or were written by a newer version; the message says which.
    /// </exception>
    public static HeadArtifact Read(ReadOnlySpan<byte> bytes) => Format.Read(bytes, ReadContent);

    private static HeadArtifact ReadContent(ArtifactReader reader)
    {
        var count = reader.Int32();
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        // Every part has at least its four length fields: a huge number fails here, before anything of that size is allocated.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(4L * sizeof(int) * count, reader.Remaining);
        var parts = new ArtifactPart[count];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new ArtifactPart(reader.String(), reader.String(), reader.String(), reader.String());
        }

        var classes = reader.Int32();
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)classes * sizeof(int), reader.Remaining);
        var labels = new string[classes];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = reader.String();
        }

        var thresholds = reader.Floats(reader.Int32());
        var hidden = reader.Int32() switch
        {
            1 => null,
            2 => Layer(ref reader),
            var layers => throw new ArgumentException($"A head of {layers} layers."),
        };
        var head = new Head(labels, Layer(ref reader), hidden, thresholds.Length == 0 ? null : thresholds);
        var directions = reader.Int32();
        ArgumentOutOfRangeException.ThrowIfNegative(directions);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)directions * head.Features * sizeof(float), reader.Remaining);
        var known = new float[directions][];
        for (var i = 0; i < known.Length; i++)
        {
            known[i] = reader.Floats(head.Features);
        }

        var region = new NoveltyDetector(known, reader.Double());
        ArgumentOutOfRangeException.ThrowIfNotEqual(reader.Remaining, 0);
        return new HeadArtifact(parts, head, region);
    }

    private static DenseLayer Layer(ref ArtifactReader reader)
    {
        var (inputs, outputs) = (reader.Int32(), reader.Int32());
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputs);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputs);
        return new DenseLayer(inputs, reader.Floats((long)inputs * outputs), reader.Floats(outputs));
    }

    private static void WriteFloats(BinaryWriter writer, ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            writer.Write(value);
        }
    }
}

/// <summary>A section of the features that a head reads.</summary>
/// <param name="BackboneId">Id of the backbone.</param>
/// <param name="BackboneSha256">SHA-256 of the backbone's file.</param>
/// <param name="PreprocessingId">How an image becomes the backbone's input.</param>
/// <param name="Section">Name of the backbone's section; empty for its own features.</param>
public sealed record ArtifactPart(string BackboneId, string BackboneSha256, string PreprocessingId, string Section)
{
    /// <summary>The preprocessing of a part that reads texts; <see cref="BackboneSha256"/> is then that of the file of text
    /// features.</summary>
    public const string Text = "text";
}

/// <summary>Bytes that cannot be read as a head; the message is a sentence that says why.</summary>
public sealed class HeadArtifactException(string message, Exception? inner = null) : Exception(message, inner);
