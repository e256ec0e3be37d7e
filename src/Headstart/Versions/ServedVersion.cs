using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;
using Headstart.Learning.Heads;

namespace Headstart.Versions;

/// <summary>A version ready to predict: <see cref="ServedClassifier"/> or <see cref="ServedDetector"/>.</summary>
public abstract record ServedVersion(int Number)
{
    /// <summary>The names of its categories, in the order of its head.</summary>
    public abstract IReadOnlyList<string> Labels { get; }

    /// <summary>What it takes in memory, about; backbones are others' too and not counted.</summary>
    public abstract long Bytes { get; }

    /// <summary>Whether it has learned from no example, and answers from the words of its categories alone.</summary>
    public bool ZeroShot { get; init; }

    /// <summary>Whether it answers for texts, not images.</summary>
    public virtual bool ReadsTexts => false;
}

/// <summary>A version that says what an image or text is.</summary>
/// <param name="FeatureBytes">What its features take in memory beside it, about.</param>
public sealed record ServedClassifier(int Number, VersionFeatures Features, Head Head, NoveltyDetector Known, long FeatureBytes = 0)
    : ServedVersion(Number)
{
    private const int Overhead = 2_000; // of the objects around the numbers, about

    /// <summary>Only for an image model; endpoints and jobs for images check the kind first.</summary>
    public FeatureRecipe Recipe => ((ImageFeatures)Features).Recipe;

    public override IReadOnlyList<string> Labels => Head.Labels;

    public override bool ReadsTexts => Features is WordFeatures;

    public override long Bytes => Overhead + FeatureBytes
        + sizeof(float) * (Head.TrainableParameters + (Head.Thresholds?.Count ?? 0) + (long)Known.Directions.Count * Head.Features)
        + Head.Labels.Sum(label => 32L + sizeof(char) * label.Length);
}

/// <summary>A version that says where objects are.</summary>
/// <param name="FileBytes">Length of the head's file.</param>
public sealed record ServedDetector(int Number, DetectorBackbone Backbone, DetectionHead Head, long FileBytes) : ServedVersion(Number)
{
    private const int Overhead = 100_000; // of a session of ONNX Runtime, about

    public override IReadOnlyList<string> Labels => Head.Categories;

    public override long Bytes => Overhead + 2 * FileBytes; // the session has its own copy of the numbers
}
