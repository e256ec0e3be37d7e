using Headstart.Learning.Detection;
using Headstart.Predictions;

namespace Headstart.Reports;

/// <summary>How well a detection model finds objects, measured on images that its head has not learned from.</summary>
/// <param name="Images">How many images it was measured on.</param>
/// <param name="Map50">Mean average precision of the categories, 0 to 1, where at least half of the union of a found box and the true one
/// must overlap; with the 95 % interval, from images drawn anew with replacement.</param>
/// <param name="Map">The same, averaged over overlaps from 0.5 to 0.95: COCO's first number.</param>
/// <param name="Categories">One each, with the probability from which its F1 is highest and the curve of precision and recall.</param>
/// <param name="Errors">What went right and wrong from these probabilities on.</param>
/// <param name="BySize">By size of the objects; sizes that no object has are left out.</param>
/// <param name="CalibrationError">Expected calibration error of the probabilities, 0 to 1.</param>
/// <param name="Hardest">The images with the most mistakes; at most 12.</param>
/// <param name="Suspects">Boxes that are probably wrong or missing, the most suspect first; at most 100. To remove an image from the next
/// report, PUT its boxes.</param>
public sealed record ObjectsReport(
    int Images, PrecisionEstimate Map50, PrecisionEstimate Map, IReadOnlyList<DetectedCategory> Categories, DetectionErrors Errors,
    IReadOnlyList<DetectedSize> BySize, double CalibrationError, IReadOnlyList<HardObjectsReport> Hardest,
    IReadOnlyList<SuspectBoxReport> Suspects);

/// <param name="Truth">Its boxes when the run began.</param>
/// <param name="Found">What a head that has not learned from it found, from each category's threshold on.</param>
/// <param name="Missed">Objects that were not found, or found in the wrong place or as something else.</param>
/// <param name="Wrong">Answers that are not right.</param>
public sealed record HardObjectsReport(
    Guid ImageId, IReadOnlyList<TrueObject> Truth, IReadOnlyList<FoundObject> Found, int Missed, int Wrong);

/// <param name="Kind">What seems to be wrong.</param>
/// <param name="Is">The box in question; null where one is missing.</param>
/// <param name="Suggested">What was found there; null for a box with nothing in it.</param>
public sealed record SuspectBoxReport(Guid ImageId, BoxSuspicion Kind, TrueObject? Is, FoundObject? Suggested);

/// <summary>An object that a person has marked.</summary>
/// <param name="Difficult">Neither learned from nor counted as missed.</param>
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
