namespace Headstart.Pretraining;

/// <summary>What is asked for, as <c>--name value</c>. Lists are separated by commas.</summary>
public sealed record PretrainingSettings
{
    /// <summary>Folders and zip files of unlabelled photographs.</summary>
    public required string Photographs { get; init; }

    /// <summary>ONNX files to learn from; each must be known to the catalogue or have a manifest beside it.</summary>
    public required string Teachers { get; init; }

    /// <summary>Labelled folders <c>set/train|test|val/category/*</c> for the linear probe; empty for none.</summary>
    public string Probes { get; init; } = "";

    /// <summary>Folder for the result, the checkpoint and the teachers' answers.</summary>
    public required string Output { get; init; }

    /// <summary>Id of the backbone that results.</summary>
    public string Id { get; init; } = "headstart-small";

    /// <summary>Pictures made of each photograph: the whole of it, then random parts.</summary>
    public int Views { get; init; } = 4;

    public int Epochs { get; init; } = 40;

    public int BatchSize { get; init; } = 96;

    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Side of the images that the finished backbone is read at; a multiple of 16.</summary>
    public int InputSize { get; init; } = 160;

    public int Seed { get; init; } = 1;

    /// <summary>At most so many photographs, for trying things out.</summary>
    public int Limit { get; init; } = int.MaxValue;

    /// <summary>
    /// Threads of libtorch. The result is the same for the same number, not between different ones: sums are then made in another order.
    /// </summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Convolve in bfloat16 (weights stay float32): twice as fast where the processor has AVX512-BF16 or AMX, slow elsewhere.</summary>
    public bool HalfPrecision { get; init; } = true;

    /// <summary>Epochs between two linear probes; the last epoch is always followed by one.</summary>
    public int ProbeEvery { get; init; } = 10;
}
