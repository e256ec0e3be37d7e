using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;

namespace Headstart.Versions;

/// <summary>A version ready to predict: <see cref="ServedClassifier"/> or <see cref="ServedDetector"/>.</summary>
public abstract record ServedVersion(int Number)
{
    /// <summary>The names of its categories, in the order of its head.</summary>
    public abstract IReadOnlyList<string> Labels { get; }

    /// <summary>Approximate memory, without the backbones, which it shares.</summary>
    public abstract long Bytes { get; }

    /// <summary>Whether it has learned from no example and predicts from the words of its categories alone.</summary>
    public bool ZeroShot { get; init; }

    /// <summary>Lowest probability at which each label applies, in a multi-label model; otherwise null.</summary>
    public virtual IReadOnlyList<float>? Thresholds => null;

    /// <summary>Whether it predicts texts.</summary>
    public virtual bool ReadsTexts => false;
}

/// <summary>A version that classifies images or texts.</summary>
/// <param name="FeatureBytes">Approximate memory of its own features.</param>
public sealed record ServedClassifier(int Number, VersionFeatures Features, Head Head, NoveltyDetector Known, long FeatureBytes = 0)
    : ServedVersion(Number)
{
    private const int Overhead = 2_000; // approximate bytes of the objects around the numbers

    /// <summary>Only for an image model; endpoints and jobs for images check the kind first.</summary>
    public FeatureRecipe Recipe => ((ImageFeatures)Features).Recipe;

    public override IReadOnlyList<string> Labels => Head.Labels;

    public override IReadOnlyList<float>? Thresholds => Head.Thresholds;

    public override bool ReadsTexts => Features is WordFeatures;

    public override long Bytes => Overhead + FeatureBytes
        + sizeof(float) * (Head.TrainableParameters + (Head.Thresholds?.Count ?? 0) + (long)Known.Directions.Count * Head.Features)
        + Head.Labels.Sum(label => 32L + sizeof(char) * label.Length);
}

/// <summary>A version that finds objects.</summary>
/// <param name="FileBytes">Length of the head's file.</param>
public sealed record ServedDetector(int Number, DetectorBackbone Backbone, DetectionHead Head, long FileBytes) : ServedVersion(Number)
{
    private const int Overhead = 100_000; // approximate bytes of an ONNX Runtime session

    public override IReadOnlyList<string> Labels => Head.Categories;

    public override long Bytes => Overhead + 2 * FileBytes; // the session has its own copy of the numbers
}

/// <summary>The features that a classifier's head reads.</summary>
/// <param name="Id">Their name, for people and for training runs that request them.</param>
/// <param name="Length">Numbers per example.</param>
/// <param name="MsPerExample">Milliseconds per example on this host.</param>
public abstract record VersionFeatures(string Id, int Length, double MsPerExample);

/// <summary>Features of images.</summary>
public sealed record ImageFeatures(FeatureRecipe Recipe) : VersionFeatures(Recipe.Id, Recipe.Length, Recipe.MsPerImage);

/// <summary>Features of texts.</summary>
public sealed record WordFeatures(TextFeatures Texts) : VersionFeatures(Texts.Id, Texts.Length, Texts.MsPerText);
