using Headstart.Learning.Detection;
using Headstart.Predictions;

namespace Headstart.Reports;

/// <summary>How well a detection model finds objects, measured on images that its head has not learned from.</summary>
/// <param name="Images">Number of images it was measured on.</param>
/// <param name="Map50">Mean average precision over the categories, 0 to 1, at an overlap (IoU) of at least 0.5 between found and true box;
/// with the 95 % interval, by bootstrap over the images.</param>
/// <param name="Map">The same, averaged over overlaps from 0.5 to 0.95: COCO's first number.</param>
/// <param name="Categories">Metrics per category, with the probability at which its F1 is highest and the precision–recall curve.</param>
/// <param name="Errors">Counts of correct and wrong answers at these probabilities.</param>
/// <param name="BySize">Metrics by size of the objects; sizes without objects are left out.</param>
/// <param name="CalibrationError">Expected calibration error of the probabilities, 0 to 1.</param>
/// <param name="Hardest">The images with the most mistakes; at most 12.</param>
/// <param name="Suspects">Boxes that are probably wrong or missing, most suspicious first; at most 100. To remove an image from the next
/// report, PUT its boxes.</param>
public sealed record ObjectsReport(
    int Images, PrecisionEstimate Map50, PrecisionEstimate Map, IReadOnlyList<DetectedCategory> Categories, DetectionErrors Errors,
    IReadOnlyList<DetectedSize> BySize, double CalibrationError, IReadOnlyList<HardObjectsReport> Hardest,
    IReadOnlyList<SuspectBoxReport> Suspects);

/// <param name="Truth">Its boxes when the run began.</param>
/// <param name="Found">What a head that has not learned from it found, at each category's threshold.</param>
/// <param name="Missed">Objects that were not found, or found in the wrong place or as something else.</param>
/// <param name="Wrong">Wrong answers.</param>
public sealed record HardObjectsReport(
    Guid ImageId, IReadOnlyList<TrueObject> Truth, IReadOnlyList<FoundObject> Found, int Missed, int Wrong);

/// <param name="Kind">What seems to be wrong.</param>
/// <param name="Is">The box in question; null if one is missing.</param>
/// <param name="Suggested">What was found there; null if nothing was.</param>
public sealed record SuspectBoxReport(Guid ImageId, BoxSuspicion Kind, TrueObject? Is, FoundObject? Suggested);

/// <summary>An object labelled by a user.</summary>
/// <param name="Difficult">Not learned from, and not counted if missed.</param>
public sealed record TrueObject(string Category, RelativeBox Box, bool Difficult)
{
    internal static TrueObject Of(LabelledBox box, IReadOnlyList<string> categories) =>
        new(categories[box.Category], RelativeBox.Of(box.Box), box.Difficult);
}

/// <summary>An object that was found.</summary>
public sealed record FoundObject(string Category, RelativeBox Box, double Probability)
{
    internal static FoundObject Of(DetectedObject found, IReadOnlyList<string> categories) =>
        new(categories[found.Category], RelativeBox.Of(found.Box), Math.Round(found.Probability, 4));
}
