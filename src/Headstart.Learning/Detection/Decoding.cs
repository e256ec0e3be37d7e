using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>From what the head says of all places to objects.</summary>
internal static class Decoding
{
    /// <summary>An object in pixels of the canvas.</summary>
    public readonly record struct Found(int Category, Sides Box, float Logit);

    /// <summary>Places that say enough, without those that say the same of the same object again: greedily, the best first, within a
    /// category.</summary>
    /// <param name="places">Of the canvas.</param>
    /// <param name="scores"><c>[k, places]</c>, logits.</param>
    /// <param name="sides"><c>[4, places]</c></param>
    /// <param name="least">Least logit.</param>
    /// <param name="most">Most objects.</param>
    /// <returns>The best first.</returns>
    public static List<Found> Objects(Places places, ReadOnlySpan<float> scores, ReadOnlySpan<float> sides, float least, int most)
    {
        var candidates = new List<(float Logit, int At)>();
        for (var at = 0; at < scores.Length; at++)
        {
            if (scores[at] >= least)
            {
                candidates.Add((scores[at], at));
            }
        }

        candidates.Sort((one, other) => other.Logit != one.Logit ? other.Logit.CompareTo(one.Logit) : one.At.CompareTo(other.At));
        var kept = new List<Found>();
        foreach (var (logit, at) in candidates.Take(MostCandidates))
        {
            var (category, place) = (at / places.Count, at % places.Count);
            var box = places.Box(place, sides);
            if (kept.Count < most && !kept.Exists(better => better.Category == category && better.Box.Iou(box) > SameObject))
            {
                kept.Add(new(category, box, logit));
            }
        }

        return kept;
    }
}
