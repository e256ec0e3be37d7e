using Headstart.Learning.Heads;

namespace Headstart.Learning.Detection;

/// <summary>
/// A detection head. The contents of its file (<see cref="ArtifactFile"/>): backbone id, its SHA-256 and input id, resolution (int32),
/// slope and intercept of the calibration and <see cref="SameObject"/> (float32), number of categories k (int32), their names and
/// thresholds (float32), width of the network (int32), number of maps (int32) and their channels (int32), parameters (float32).
/// </summary>
internal sealed record DetectionHeadArtifact
{
    /// <summary>The version written, and the only one read: heads of version 1 have no RMS normalisation.</summary>
    public const int FormatVersion = 2;

    private const int MostCategories = 10_000;
    private static readonly ArtifactFile Format = new("detection head", "HSTDETH\n", FormatVersion);

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

    public byte[] Write() => Format.Write(writer =>
    {
        ArtifactFile.WriteString(writer, BackboneId);
        ArtifactFile.WriteString(writer, BackboneSha256);
        ArtifactFile.WriteString(writer, InputId);
        writer.Write(Resolution);
        writer.Write(Slope);
        writer.Write(Intercept);
        writer.Write(SameObject);
        writer.Write(Categories.Count);
        Categories.ToList().ForEach(name => ArtifactFile.WriteString(writer, name));
        Thresholds.ToList().ForEach(writer.Write);
        writer.Write(Network.Width);
        writer.Write(Network.Inputs.Count);
        Network.Inputs.ToList().ForEach(writer.Write);
        Array.ForEach(Parameters, writer.Write);
    });

    /// <exception cref="HeadArtifactException">See <see cref="DetectionHead.Read"/>.</exception>
    public static DetectionHeadArtifact Read(ReadOnlySpan<byte> bytes) => Format.Read(bytes, ReadContent);

    private static DetectionHeadArtifact ReadContent(ArtifactReader reader)
    {
        var (id, sha256, input, resolution) = (reader.String(), reader.String(), reader.String(), reader.Int32());
        var numbers = reader.Floats(3);
        var categories = new string[Within(reader.Int32(), MostCategories)];
        for (var i = 0; i < categories.Length; i++)
        {
            categories[i] = reader.String();
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
}
