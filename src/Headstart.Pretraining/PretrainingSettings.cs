namespace Headstart.Pretraining;

/// <summary>The options of the command line, as <c>--name value</c>. Lists are separated by commas.</summary>
public sealed record PretrainingSettings
{
    /// <summary>Folders and zip files of unlabelled photographs.</summary>
    public required string Photographs { get; init; }

    /// <summary>The ONNX file to learn from: a convolutional network that is known to the catalogue or has a manifest beside it.</summary>
    public required string Teacher { get; init; }

    /// <summary>Labelled folders <c>set/train|test|val/category/*</c> for the linear probe; empty for none.</summary>
    public string Probes { get; init; } = "";

    /// <summary>Folder for the result and the checkpoint.</summary>
    public required string Output { get; init; }

    /// <summary>Id of the resulting backbone.</summary>
    public string Id { get; init; } = "headstart-small";

    public int Epochs { get; init; } = 8;

    public int BatchSize { get; init; } = 64;

    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Side of the images that the student learns from, in pixels.</summary>
    public int InputSize { get; init; } = 160;

    /// <summary>
    /// Side of the images that the finished backbone reads, in pixels: a fifth more, since random parts of photographs show things larger
    /// ("Fixing the train-test resolution discrepancy", Touvron et al. 2019).
    /// </summary>
    public int ReadSize { get; init; } = 192;

    public int Seed { get; init; } = 1;

    /// <summary>Uses at most this many photographs, for experiments.</summary>
    public int Limit { get; init; } = int.MaxValue;

    /// <summary>
    /// Threads of libtorch. Results are reproducible only with the same number: another one adds in another order.
    /// </summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Convolve in bfloat16 (weights stay float32): faster where the processor has AVX512-BF16 or AMX, slow elsewhere.</summary>
    public bool HalfPrecision { get; init; } = true;

    /// <summary>Epochs between two linear probes; the last epoch is always followed by one.</summary>
    public int ProbeEvery { get; init; } = 2;
}
