using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>From what the head says of all places to objects.</summary>
internal static class Decoding
{
    /// <summary>An object in pixels of the canvas.</summary>
    public readonly record struct Found(int Category, Sides Box, float Logit);

    /// <summary>Places that say enough, without those that say the same of the same object again: greedily, the best first, within a
    /// category (non-maximum suppression). The box of an object is the mean of all boxes that agree with the best one, by probability and
    /// by how much more than enough they agree (box voting, Gidaris and Komodakis, ICCV 2015): places next to each other err in different
    /// directions.</summary>
    /// <param name="places">Of the canvas.</param>
    /// <param name="scores"><c>[k, places]</c>, logits.</param>
    /// <param name="sides"><c>[4, places]</c></param>
    /// <param name="least">Least logit, and overlap from which on two boxes are of one object.</param>
    /// <param name="most">Most objects.</param>
    /// <returns>The best first.</returns>
    public static List<Found> Objects(Places places, ReadOnlySpan<float> scores, ReadOnlySpan<float> sides,
        (float Logit, float SameObject) least, int most)
    {
        var candidates = new List<Found>();
        for (var at = 0; at < scores.Length; at++)
        {
            if (scores[at] >= LeastLogit) // whatever is asked for: the boxes must not depend on it
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
                // From nothing on: what agrees by a hair and what does not must not make different boxes.
                var share = (overlap - AgreeingBox) / (1 + MathF.Exp(-other.Logit));
                weight += share;
                (left, top) = (left + share * other.Box.Left, top + share * other.Box.Top);
                (right, bottom) = (right + share * other.Box.Right, bottom + share * other.Box.Bottom);
            }
        }

        return weight > 0 ? new(left / weight, top / weight, right / weight, bottom / weight) : found.Box; // a box without area
    }
}
