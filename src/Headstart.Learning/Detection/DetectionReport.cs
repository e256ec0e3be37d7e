namespace Headstart.Learning.Detection;

/// <summary>An average precision with its 95 % interval.</summary>
/// <param name="Value">0..1</param>
/// <param name="Low">Lower end of the interval, by bootstrap over the images.</param>
/// <param name="High">Upper end of the interval.</param>
public sealed record PrecisionEstimate(double Value, double Low, double High);

/// <summary>How well a detector finds objects in images that its head did not learn from.</summary>
/// <param name="Pictures">Number of evaluated images.</param>
/// <param name="CrossValidated">True: these are the training images, each answered by a head that did not learn from it. False: they were
/// held out.</param>
/// <param name="At50">Mean average precision at an overlap (intersection over union) of 0.5.</param>
/// <param name="At50To95">Mean average precision averaged over overlaps from 0.5 to 0.95: COCO's primary metric.</param>
/// <param name="Categories">Results of each category, by index.</param>
/// <param name="Errors">Mistakes at each category's threshold.</param>
/// <param name="Sizes">Results by object size, without sizes that no object has.</param>
/// <param name="CalibrationError">Expected calibration error of the probabilities, 0..1.</param>
public sealed record DetectionReport(int Pictures, bool CrossValidated, PrecisionEstimate At50, PrecisionEstimate At50To95,
    IReadOnlyList<DetectedCategory> Categories, DetectionErrors Errors, IReadOnlyList<DetectedSize> Sizes,
    double CalibrationError);

/// <summary>One category of a report.</summary>
/// <param name="Name">Category name.</param>
/// <param name="Boxes">Number of objects to find.</param>
/// <param name="At50">Average precision at an overlap of 0.5; null without objects to find.</param>
/// <param name="At50To95">Average precision averaged over overlaps from 0.5 to 0.95; null without objects to find.</param>
/// <param name="Threshold">The probability threshold with the best F1.</param>
/// <param name="Precision">Precision at the threshold.</param>
/// <param name="Recall">Recall at the threshold.</param>
/// <param name="Curve">Precision and recall by threshold, highest threshold first.</param>
public sealed record DetectedCategory(string Name, int Boxes, double? At50, double? At50To95, float Threshold, double Precision,
    double Recall, IReadOnlyList<DetectionCurvePoint> Curve);

/// <summary>Precision and recall at one threshold.</summary>
/// <param name="Probability">The threshold: the lowest probability answered.</param>
/// <param name="Precision">Share of the answers that are right.</param>
/// <param name="Recall">Share of the objects that are found.</param>
public sealed record DetectionCurvePoint(float Probability, double Precision, double Recall);

/// <summary>Mistakes by kind, at each category's threshold (after TIDE, Bolya et al., ECCV 2020).</summary>
/// <param name="Right">Objects found with the right place and category.</param>
/// <param name="Missed">Objects without any answer, not even one of the wrong place or category.</param>
/// <param name="WrongPlace">Answers of the right category with an overlap of 0.1 to 0.5.</param>
/// <param name="WrongCategory">Answers on an object of another category.</param>
/// <param name="Twice">Further answers for an object that was already found.</param>
/// <param name="Background">Answers where there is no object.</param>
public sealed record DetectionErrors(int Right, int Missed, int WrongPlace, int WrongCategory, int Twice, int Background);

/// <summary>Results for the objects of one size class.</summary>
/// <param name="Name"><c>small</c>: the square root of the area is below a sixteenth of the image's longer side; <c>medium</c>: below a
/// quarter; <c>large</c>: the others.</param>
/// <param name="Boxes">Number of objects to find.</param>
/// <param name="At50">Mean average precision at an overlap of 0.5.</param>
/// <param name="Recall">Share of the objects found at the categories' thresholds.</param>
public sealed record DetectedSize(string Name, int Boxes, double At50, double Recall);

/// <summary>A label that a head's answers contradict.</summary>
/// <param name="Example">Index of the example.</param>
/// <param name="Kind">The suspected mistake.</param>
/// <param name="Box">Index among the example's boxes; null for a missing box.</param>
/// <param name="Suggested">The object found there; null for an empty box.</param>
public sealed record SuspectedBox(int Example, BoxSuspicion Kind, int? Box, DetectedObject? Suggested);

public enum BoxSuspicion
{
    /// <summary>An object without a box.</summary>
    Missing,

    /// <summary>A box with the wrong category.</summary>
    WrongCategory,

    /// <summary>A box that fits badly.</summary>
    Sloppy,

    /// <summary>A box without an object.</summary>
    Empty,
}
