using System.Security.Cryptography;
using System.Text;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Detection;

/// <summary>
/// A detection head as a file. Little-endian: 8 bytes of magic, version (int32), length of the whole file (int64), backbone id, its SHA-256
/// and input id, resolution (int32), slope and intercept of the calibration and <see cref="SameObject"/> (float32), number of categories k
/// (int32), their names and thresholds (float32), width of the network (int32), number of maps (int32) and their channels (int32),
/// parameters (float32), then the SHA-256 of all that. Strings are an int32 length and UTF-8.
/// </summary>
internal sealed record DetectionHeadArtifact
{
    /// <summary>The version written, and the only one read: heads of version 1 have no RMS normalisation.</summary>
    public const int FormatVersion = 2;

    private const int MostCategories = 10_000;
    private const int LengthAt = 12;
    private const int HeaderLength = LengthAt + sizeof(long);
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public required string BackboneId { get; init; }

    public required string BackboneSha256 { get; init; }

    public required string InputId { get; init; }

    public required int Resolution { get; init; }

    /// <summary>A probability is the logistic function of <c>Slope * logit + Intercept</c> (Platt 1999).</summary>
    public float Slope { get; init; } = 1;

    public float Intercept { get; init; }

    /// <summary>Overlap above which two boxes of one category are one object.</summary>
    public float SameObject { get; init; } = TrainingDefaults.SameObject[0];

    public required IReadOnlyList<string> Categories { get; init; }

    public required IReadOnlyList<float> Thresholds { get; init; }

    public required HeadNetwork Network { get; init; }

    public required float[] Parameters { get; init; }

    private static ReadOnlySpan<byte> Magic => "HSTDETH\n"u8;

    public float Probability(float logit) => DetectionCalibration.Probability(logit, Slope, Intercept);

    /// <summary>The logit of a calibrated probability.</summary>
    public float Logit(float probability)
    {
        var p = Math.Clamp(probability, 1e-6f, 1 - 1e-6f);
        return (MathF.Log(p / (1 - p)) - Intercept) / Slope;
    }

    /// <exception cref="ArgumentException">The parts do not fit together, or some numbers are not finite.</exception>
    public void Require()
    {
        if (Categories.Count is 0 or > MostCategories || Thresholds.Count != Categories.Count || Network.Categories != Categories.Count
            || Network.Inputs.Count != DetectorBackbone.Strides.Length || Parameters.Length != Network.Length
            || Resolution is < Letterbox.Multiple or > TrainingDefaults.HighestResolution
            || !(Slope > 0) || !float.IsFinite(Slope) || !float.IsFinite(Intercept)
            || SameObject is not (> 0 and < 1)
            || !Thresholds.All(threshold => threshold is >= 0 and <= 1) || !Parameters.All(float.IsFinite))
        {
            throw new ArgumentException("The parts of the head do not fit together.");
        }
    }

    public byte[] Write()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Strict);
        writer.Write(Magic);
        writer.Write(FormatVersion);
        writer.Write(0L); // the length, known at the end
        WriteString(BackboneId);
        WriteString(BackboneSha256);
        WriteString(InputId);
        writer.Write(Resolution);
        writer.Write(Slope);
        writer.Write(Intercept);
        writer.Write(SameObject);
        writer.Write(Categories.Count);
        Categories.ToList().ForEach(WriteString);
        Thresholds.ToList().ForEach(writer.Write);
        writer.Write(Network.Width);
        writer.Write(Network.Inputs.Count);
        Network.Inputs.ToList().ForEach(writer.Write);
        Array.ForEach(Parameters, writer.Write);
        stream.Position = LengthAt;
        writer.Write(stream.Length + SHA256.HashSizeInBytes);
        var content = stream.ToArray();
        return [.. content, .. SHA256.HashData(content)];

        void WriteString(string text)
        {
            var bytes = Strict.GetBytes(text);
            writer.Write(bytes.Length);
            writer.Write(bytes);
        }
    }

    /// <exception cref="HeadArtifactException">See <see cref="DetectionHead.Read"/>.</exception>
    public static DetectionHeadArtifact Read(ReadOnlySpan<byte> bytes)
    {
        Refuse(bytes.Length < HeaderLength || !bytes.StartsWith(Magic), "This file is not a Headstart detection head.");
        var header = new ArtifactReader(bytes[Magic.Length..]);
        var version = header.Int32();
        Refuse(version != FormatVersion, $"This detection head has format version {version}, but this release of Headstart reads version "
            + $"{FormatVersion}: {(version > FormatVersion ? "update Headstart" : "train the model again")}.");
        Refuse(header.Int64() != bytes.Length || bytes.Length < HeaderLength + SHA256.HashSizeInBytes,
            "The detection head file is truncated or has extra data at the end: restore or download it again.");
        var content = bytes[..^SHA256.HashSizeInBytes];
        Refuse(!SHA256.HashData(content).AsSpan().SequenceEqual(bytes[content.Length..]),
            "The detection head file is damaged: restore or download it again.");
        try
        {
            return ReadContent(new ArtifactReader(content[HeaderLength..]));
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException)
        {
            // The checksum is right, so the file was written this way.
            throw new HeadArtifactException("The contents of the detection head file are inconsistent.", exception);
        }
    }

    private static DetectionHeadArtifact ReadContent(ArtifactReader reader)
    {
        var (id, sha256, input, resolution) = (reader.String(Strict), reader.String(Strict), reader.String(Strict), reader.Int32());
        var numbers = reader.Floats(3);
        var categories = new string[Within(reader.Int32(), MostCategories)];
        for (var i = 0; i < categories.Length; i++)
        {
            categories[i] = reader.String(Strict);
        }

        var thresholds = reader.Floats(categories.Length);
        var width = Within(reader.Int32(), 1_024);
        var channels = new int[Within(reader.Int32(), DetectorBackbone.Strides.Length)];
        for (var i = 0; i < channels.Length; i++)
        {
            channels[i] = Within(reader.Int32(), 65_536);
        }

        var network = new HeadNetwork(channels, categories.Length, width);
        ArgumentOutOfRangeException.ThrowIfNotEqual((long)network.Length * sizeof(float), reader.Remaining);
        var artifact = new DetectionHeadArtifact
        {
            BackboneId = id,
            BackboneSha256 = sha256,
            InputId = input,
            Resolution = resolution,
            Slope = numbers[0],
            Intercept = numbers[1],
            SameObject = numbers[2],
            Categories = categories,
            Thresholds = thresholds,
            Network = network,
            Parameters = reader.Floats(network.Length),
        };
        artifact.Require();
        return artifact;
    }

    private static int Within(int value, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most);
        return value;
    }

    private static void Refuse(bool condition, string sentence)
    {
        if (condition)
        {
            throw new HeadArtifactException(sentence);
        }
    }
}
