using Headstart.Learning.Choosing;
using Headstart.Learning.Heads;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>A trial of text features.</summary>
/// <param name="Features">The features that the head reads.</param>
/// <param name="Validation">The result.</param>
/// <param name="Scores">See <see cref="Tried"/>.</param>
public sealed record TextTrial(TextFeatures Features, CrossValidation Validation, IReadOnlyList<double> Scores)
    : Tried(Validation, Scores)
{
    public override string Id => Features.Id;

    public override double MsPerExample => Features.MsPerText;

    /// <summary>At least a millisecond, which no user notices: features of words must not lose to faster ones that are nearly as good.
    /// (F1 of spam on three splits, without a sentence network: 0.945 instead of 0.936.)</summary>
    internal override double ComparedMs => Math.Max(NegligibleTextMs, MsPerExample);

    /// <inheritdoc cref="Tried.Validate"/>
    public static TextTrial Run(TextFeatures features, LabelledFeatures set, int repeats, int seed, CancellationToken cancel)
    {
        var (validation, scores) = Validate(set, repeats, seed, cancel);
        return new TextTrial(features, validation, scores);
    }
}
