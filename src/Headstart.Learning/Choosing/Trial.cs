using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Choosing;

/// <summary>A trial of features: the cross-validation of a head on them.</summary>
/// <param name="Validation">The result.</param>
/// <param name="Scores">For each tested image <c>[m]</c>, the logarithm of the calibrated probability of its true category, or of all its
/// labels and the absence of the others, from heads that did not see it; at least that of one in a million. On a few hundred images this
/// compares candidates better than right or wrong: it counts how close a miss was and how confident a mistake.</param>
public abstract record Tried(CrossValidation Validation, IReadOnlyList<double> Scores)
{
    private const double Least = 1e-6;

    /// <summary>Id of the features.</summary>
    public abstract string Id { get; }

    /// <summary>Milliseconds that the features of one example take on this host.</summary>
    public abstract double MsPerExample { get; }

    /// <summary>Milliseconds by which trials are compared.</summary>
    internal virtual double ComparedMs => MsPerExample;

    /// <summary>Minus the mean of <see cref="Scores"/>: 0 is perfect, ln k is guessing among k. Also 0 if nothing was tested.</summary>
    public double LogLoss { get; } = -Scores.DefaultIfEmpty().Average();

    /// <summary>How much better this trial is than another on the same images.</summary>
    /// <returns>Mean difference of the scores and the standard error of that mean.</returns>
    public (double Mean, double StandardError) Lead(Tried other)
    {
        ArgumentNullException.ThrowIfNull(other);
        double[] differences = [.. Scores.Zip(other.Scores, (mine, theirs) => mine - theirs).DefaultIfEmpty()];
        var mean = differences.Average();
        var variance = differences.Sum(difference => (difference - mean) * (difference - mean)) / Math.Max(1, differences.Length - 1);
        return (mean, Math.Sqrt(variance / differences.Length));
    }

    /// <param name="set">The features and labels.</param>
    /// <param name="repeats">Number of splits.</param>
    /// <param name="seed">Decides the splits: trials of the same examples and seed can be compared example by example.</param>
    /// <param name="cancel">Checked in every iteration of every fit.</param>
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

/// <summary>A trial of a recipe of image features.</summary>
/// <param name="Recipe">The features that the head reads.</param>
/// <param name="Validation">The result.</param>
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
