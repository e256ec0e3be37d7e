namespace Headstart.Learning.Detection;

/// <summary>An average precision and what it may be by chance.</summary>
/// <param name="Value">0..1</param>
/// <param name="Low">Lower end of the 95 % interval, from pictures drawn anew with replacement.</param>
/// <param name="High">Upper end.</param>
public sealed record PrecisionEstimate(double Value, double Low, double High);

/// <summary>How well objects are found, by what the head has not learned from.</summary>
/// <param name="Pictures">How many were looked at.</param>
/// <param name="CrossValidated">Whether these are the pictures it learns from, each answered by a head that had not seen it; else they
/// were held out.</param>
/// <param name="At50">Mean average precision, where half of the union must overlap.</param>
/// <param name="At50To95">The same, averaged over overlaps from 0.5 to 0.95: COCO's first number.</param>
/// <param name="Categories">One each, in the order of the categories.</param>
/// <param name="Errors">What went wrong from each category's threshold on.</param>
/// <param name="Sizes">By size of the objects; sizes that no object has are left out.</param>
/// <param name="CalibrationError">Expected calibration error of the probabilities, 0..1.</param>
public sealed record DetectionReport(int Pictures, bool CrossValidated, PrecisionEstimate At50, PrecisionEstimate At50To95,
    IReadOnlyList<DetectedCategory> Categories, DetectionErrors Errors, IReadOnlyList<DetectedSize> Sizes,
    double CalibrationError);

/// <summary>One category of a report.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Boxes">Objects to find.</param>
/// <param name="At50">Average precision at an overlap of a half; null without objects to find.</param>
/// <param name="At50To95">Averaged over overlaps; null without objects to find.</param>
/// <param name="Threshold">The probability from which on F1 is best.</param>
/// <param name="Precision">From the threshold on.</param>
/// <param name="Recall">From the threshold on.</param>
/// <param name="Curve">From high probabilities to low ones.</param>
public sealed record DetectedCategory(string Name, int Boxes, double? At50, double? At50To95, float Threshold, double Precision,
    double Recall, IReadOnlyList<DetectionCurvePoint> Curve);

/// <summary>What would come of answering from a probability on.</summary>
/// <param name="Probability">From this one on.</param>
/// <param name="Precision">Share of what is answered that is there.</param>
/// <param name="Recall">Share of what is there that is answered.</param>
public sealed record DetectionCurvePoint(float Probability, double Precision, double Recall);

/// <summary>Mistakes by kind, from each category's threshold on (after TIDE, Bolya et al., ECCV 2020).</summary>
/// <param name="Right">Found where they are, as what they are.</param>
/// <param name="Missed">Objects that nothing was found for, nor anything that is counted below.</param>
/// <param name="WrongPlace">The right category, with an overlap of 0.1 to 0.5.</param>
/// <param name="WrongCategory">The right place.</param>
/// <param name="Twice">Found again.</param>
/// <param name="Background">Nothing is there.</param>
public sealed record DetectionErrors(int Right, int Missed, int WrongPlace, int WrongCategory, int Twice, int Background);

/// <summary>Objects of about one size.</summary>
/// <param name="Name"><c>small</c>: a side below a sixteenth of the picture's longer one; <c>medium</c>: below a quarter;
/// <c>large</c>.</param>
/// <param name="Boxes">Objects to find.</param>
/// <param name="At50">Mean average precision at an overlap of a half.</param>
/// <param name="Recall">Share that is found from the thresholds on.</param>
public sealed record DetectedSize(string Name, int Boxes, double At50, double Recall);

/// <summary>A label that a head which has not learned from it contradicts.</summary>
/// <param name="Example">Index of the example.</param>
/// <param name="Kind">What seems to be wrong.</param>
/// <param name="Box">Index among the example's boxes; null where one is missing.</param>
/// <param name="Suggested">What was found there; null for a box where nothing is.</param>
public sealed record SuspectedBox(int Example, BoxSuspicion Kind, int? Box, DetectedObject? Suggested);

public enum BoxSuspicion
{
    /// <summary>An object without a box.</summary>
    Missing,

    /// <summary>A box of another category.</summary>
    WrongCategory,

    /// <summary>A box that fits badly.</summary>
    Sloppy,

    /// <summary>A box with nothing in it.</summary>
    Empty,
}
