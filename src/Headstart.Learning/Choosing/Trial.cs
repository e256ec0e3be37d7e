using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Choosing;

/// <summary>Features that were tried by cross-validating a head on them.</summary>
/// <param name="Validation">What came out.</param>
/// <param name="Scores">Of each tested image <c>[m]</c>, the logarithm of the calibrated probability that heads which did not see it gave
/// to its own category, or to each of its labels and to the absence of the others; at least that of one in a million. On a few hundred
/// images this tells candidates apart better than right or wrong does: an image that was nearly right counts as that, and one that was
/// surely wrong as that.</param>
public abstract record Tried(CrossValidation Validation, IReadOnlyList<double> Scores)
{
    private const double Least = 1e-6;

    /// <summary>Names the features.</summary>
    public abstract string Id { get; }

    /// <summary>Milliseconds that the features of one example take on this host.</summary>
    public abstract double MsPerExample { get; }

    /// <summary>Minus the mean of <see cref="Scores"/>: 0 is perfect, ln k is guessing among k. 0 too where nothing was tested.</summary>
    public double LogLoss { get; } = -Scores.DefaultIfEmpty().Average();

    /// <summary>How much better this one is than another on the same images.</summary>
    /// <returns>The mean difference of the scores, and the standard error of that mean.</returns>
    public (double Mean, double StandardError) Lead(Tried other)
    {
        ArgumentNullException.ThrowIfNull(other);
        double[] differences = [.. Scores.Zip(other.Scores, (mine, theirs) => mine - theirs).DefaultIfEmpty()];
        var mean = differences.Average();
        var variance = differences.Sum(difference => (difference - mean) * (difference - mean)) / Math.Max(1, differences.Length - 1);
        return (mean, Math.Sqrt(variance / differences.Length));
    }

    /// <param name="set">The features and labels.</param>
    /// <param name="repeats">Different splits.</param>
    /// <param name="seed">Decides the splits: trials of the same examples and seed can be compared example by example.</param>
    /// <param name="cancel">Looked at in every iteration of every fit.</param>
    protected static (CrossValidation Validation, IReadOnlyList<double> Scores) Validate(LabelledFeatures set, int repeats, int seed,
        CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(set);
        var validation = HeadTraining.CrossValidate(set, seed, cancel, repeats: repeats, linearOnly: true);
        var tested = set.Some(validation.Tested);
        var (probabilities, right) = tested.Choices(validation.CrossCalibrated(set));
        var scores = right.Select((choice, i) => Math.Log(Math.Max(Least, probabilities[i][choice])));
        return (validation, [.. scores.Chunk(Math.Max(1, right.Count / Math.Max(1, tested.Count))).Select(example => example.Sum())]);
    }
}

/// <summary>A recipe of image features that was tried.</summary>
/// <param name="Recipe">What the head read.</param>
/// <param name="Validation">What came out.</param>
/// <param name="Scores">See <see cref="Tried"/>.</param>
public sealed record Trial(FeatureRecipe Recipe, CrossValidation Validation, IReadOnlyList<double> Scores)
    : Tried(Validation, Scores)
{
    public override string Id => Recipe.Id;

    public override double MsPerExample => Recipe.MsPerImage;

    /// <inheritdoc cref="Tried.Validate"/>
    public static Trial Run(FeatureRecipe recipe, LabelledFeatures set, int repeats, int seed, CancellationToken cancel)
    {
        var (validation, scores) = Validate(set, repeats, seed, cancel);
        return new Trial(recipe, validation, scores);
    }
}
