using Headstart.Data;
using Headstart.Learning.Choosing;

namespace Headstart.Training;

/// <summary>The rows for trials in the status of a run.</summary>
internal static class TrialRows
{
    /// <param name="tried">The features and their results.</param>
    /// <param name="chosen">Whether the run uses them.</param>
    /// <param name="digits">Decimal places of the milliseconds; texts are faster and need more.</param>
    public static BackboneTrial Row(this Tried tried, bool chosen, int digits) => new(tried.Id, tried.Validation.Accuracy.Rounded(),
        tried.Validation.StandardError.Rounded(), Math.Round(tried.MsPerExample, digits), chosen,
        tried.Scores.Count == 0 ? null : Math.Round(tried.LogLoss, 4), tried.Scores.Count);

    public static double? Rounded(this double? share) => share is { } known ? Math.Round(known, 4) : null;
}
