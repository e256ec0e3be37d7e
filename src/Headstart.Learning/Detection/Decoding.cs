using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>Turns the head's output into objects.</summary>
internal static class Decoding
{
    /// <summary>An object in canvas pixels.</summary>
    public readonly record struct Found(int Category, Sides Box, float Logit);

    /// <summary>Greedy non-maximum suppression within each category, best logit first. An object's box is the mean of all boxes that
    /// agree with its best one, weighted by probability and by overlap beyond <see cref="AgreeingBox"/> (box voting, Gidaris and
    /// Komodakis, ICCV 2015), since neighbouring places err in different directions.</summary>
    /// <param name="places">Places of the canvas.</param>
    /// <param name="scores"><c>[k, places]</c>, logits.</param>
    /// <param name="sides"><c>[4, places]</c></param>
    /// <param name="least">Lowest logit, and the overlap above which two boxes are one object.</param>
    /// <param name="most">Maximum number of objects.</param>
    /// <returns>Highest logit first.</returns>
    public static List<Found> Objects(Places places, ReadOnlySpan<float> scores, ReadOnlySpan<float> sides,
        (float Logit, float SameObject) least, int most)
    {
        var candidates = new List<Found>();
        for (var at = 0; at < scores.Length; at++)
        {
            if (scores[at] >= LeastLogit) // not least.Logit: the voted boxes must not depend on the threshold
            {
                candidates.Add(new(at / places.Count, places.Box(at % places.Count, sides), scores[at]));
            }
        }

        var kept = new List<Found>();
        foreach (var candidate in candidates.Where(candidate => candidate.Logit >= least.Logit).OrderByDescending(best => best.Logit))
        {
            if (kept.Count < most && !kept.Exists(better => better.Category == candidate.Category
                && better.Box.Iou(candidate.Box) > least.SameObject))
            {
                kept.Add(candidate);
            }
        }

        return kept.ConvertAll(found => found with { Box = Vote(found, candidates) });
    }

    private static Sides Vote(Found found, List<Found> candidates)
    {
        var (weight, left, top, right, bottom) = (0f, 0f, 0f, 0f, 0f);
        foreach (var other in candidates)
        {
            var overlap = other.Category == found.Category ? other.Box.Iou(found.Box) : 0;
            if (overlap > AgreeingBox)
            {
                // Weights start at 0, so that a box just below the limit and one just above give the same result.
                var share = (overlap - AgreeingBox) / (1 + MathF.Exp(-other.Logit));
                weight += share;
                (left, top) = (left + share * other.Box.Left, top + share * other.Box.Top);
                (right, bottom) = (right + share * other.Box.Right, bottom + share * other.Box.Bottom);
            }
        }

        return weight > 0 ? new(left / weight, top / weight, right / weight, bottom / weight) : found.Box; // the box has no area
    }
}
