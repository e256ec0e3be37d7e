using System.Runtime.InteropServices;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Training;

/// <summary>Fits of a run that any worker may compute: cross-validation, or a learning curve.</summary>
/// <param name="Method">How heads for the curve are fitted; null for cross-validation.</param>
/// <param name="Seed">Seed of the splits.</param>
/// <param name="Repeats">Number of different splits.</param>
/// <param name="LinearOnly">Whether cross-validation skips hidden layers.</param>
public sealed record FitTask(HeadMethod? Method, int Seed, int Repeats, bool LinearOnly)
{
    public FitPlan Plan(LabelledFeatures set) => Method is null ? new ValidationPlan(set, Seed, Repeats, LinearOnly)
        : new CurvePlan(set, Method, Repeats, Seed);
}

/// <summary>What another worker needs to compute the same fits; it finds the features in the cache.</summary>
/// <param name="Recipe">Id of the features.</param>
/// <param name="Images">The SHA-256 of each image.</param>
/// <param name="Labels">See <see cref="LabelledFeatures.Labels"/>; Tags, Groups and Categories likewise.</param>
public sealed record FitDescription(FitTask Task, string Recipe, byte[][] Images, int[] Labels, int[][]? Tags, int[]? Groups,
    string[] Categories)
{
    /// <summary>The weights of <see cref="LabelledFeatures.Prior"/>, float32; null if there is none.</summary>
    public byte[]? Prior { get; init; }

    public LabelledFeatures Set(IReadOnlyList<float[]> features) => new(features, Labels, Categories)
    {
        Tags = Tags,
        Groups = Groups,
        Prior = Prior is null ? null
            : new(features[0].Length, MemoryMarshal.Cast<byte, float>(Prior), new float[Categories.Length]),
    };
}
