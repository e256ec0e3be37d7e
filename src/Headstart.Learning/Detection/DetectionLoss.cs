using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>
/// The loss of one image and its gradient. Places are assigned to objects by task alignment (Feng et al., ICCV 2021). The target score of a
/// place is its box's overlap with the object (quality focal loss, Li et al., NeurIPS 2020), so the score rates category and box together.
/// Boxes are fitted by generalised intersection over union loss (GIoU, Rezatofighi et al., CVPR 2019).
/// </summary>
internal sealed class DetectionLoss
{
    private readonly Places _places;
    private readonly int _categories;
    private readonly int[] _owner; // [places], index of the object assigned to the place, or -1
    private readonly float[] _overlap; // [places], IoU of the place's box with its object
    private readonly float[] _target; // [places], target score
    private readonly bool[] _ignored; // [places], inside a difficult object
    private readonly (float Align, float Overlap, int Place)[] _candidates;

    public DetectionLoss(Places places, int categories)
    {
        (_places, _categories) = (places, categories);
        (_owner, _overlap, _target, _ignored) = (new int[places.Count], new float[places.Count], new float[places.Count],
            new bool[places.Count]);
        _candidates = new (float, float, int)[places.Count];
    }

    /// <summary>Assigns places to objects.</summary>
    /// <param name="scores"><c>[k, places]</c>, logits.</param>
    /// <param name="sides"><c>[4, places]</c></param>
    /// <param name="truth">The objects.</param>
    /// <returns>Sum of the target scores; summed over a batch, it divides the batch's gradient.</returns>
    public float Assign(ReadOnlySpan<float> scores, ReadOnlySpan<float> sides, IReadOnlyList<Truth> truth)
    {
        _owner.AsSpan().Fill(-1);
        Array.Clear(_target);
        Array.Clear(_ignored);
        var best = new (float Align, float Overlap)[truth.Count];
        var align = new float[_places.Count];
        for (var g = 0; g < truth.Count; g++)
        {
            var found = Candidates(scores, sides, truth[g]);
            if (truth[g].Ignored)
            {
                found.ToArray().ToList().ForEach(candidate => _ignored[candidate.Place] = true);
                continue;
            }

            found.Sort((one, other) => other.Align.CompareTo(one.Align));
            foreach (var (aligned, overlap, place) in found[..Math.Min(found.Length, PlacesOfObject)])
            {
                if (_owner[place] < 0 || overlap > _overlap[place])
                {
                    (_owner[place], _overlap[place], align[place]) = (g, overlap, aligned);
                }
            }
        }

        for (var i = 0; i < _owner.Length; i++)
        {
            if (_owner[i] is >= 0 and var g)
            {
                best[g] = (Math.Max(best[g].Align, align[i]), Math.Max(best[g].Overlap, _overlap[i]));
            }
        }

        var sum = 0f;
        for (var i = 0; i < _owner.Length; i++)
        {
            if (_owner[i] is >= 0 and var g)
            {
                sum += _target[i] = Math.Max(LeastTarget, align[i] / Math.Max(best[g].Align, 1e-12f) * best[g].Overlap);
            }
        }

        return sum;
    }

    /// <summary>The loss after <see cref="Assign"/>.</summary>
    /// <param name="scores"><c>[k, places]</c>, logits.</param>
    /// <param name="sides"><c>[4, places]</c></param>
    /// <param name="truth">The objects.</param>
    /// <param name="gradient">Receives <c>[k, places]</c> and <c>[4, places]</c>.</param>
    public double Evaluate(ReadOnlySpan<float> scores, ReadOnlySpan<float> sides, IReadOnlyList<Truth> truth,
        (Memory<float> Scores, Memory<float> Sides) gradient)
    {
        var scoreGradient = gradient.Scores.Span;
        var sideGradient = gradient.Sides.Span;
        var loss = 0.0;
        for (var category = 0; category < _categories; category++)
        {
            for (var i = 0; i < _places.Count; i++)
            {
                var at = category * _places.Count + i;
                var own = _owner[i] >= 0 && truth[_owner[i]].Category == category;
                if (!own && _ignored[i])
                {
                    scoreGradient[at] = 0;
                    continue;
                }

                loss += Quality(scores[at], own ? _target[i] : 0, out scoreGradient[at]);
            }
        }

        sideGradient.Clear();
        for (var i = 0; i < _places.Count; i++)
        {
            if (_owner[i] >= 0)
            {
                loss += Pull(i, sides, truth[_owner[i]].Box, BoxWeight * _target[i], sideGradient);
            }
        }

        return loss;
    }

    private Span<(float Align, float Overlap, int Place)> Candidates(ReadOnlySpan<float> scores, ReadOnlySpan<float> sides, Truth truth)
    {
        var count = 0;
        var box = truth.Box;
        var (middleX, middleY) = ((box.Left + box.Right) / 2, (box.Top + box.Bottom) / 2);
        for (var i = 0; i < _places.Count; i++)
        {
            var (x, y) = _places.Centre(i);
            // Objects smaller than a stride still get a few places.
            var reach = truth.Ignored ? 0 : SmallestReach * DetectorBackbone.Strides[0];
            if (Math.Abs(x - middleX) > Math.Max(box.Width / 2, reach) || Math.Abs(y - middleY) > Math.Max(box.Height / 2, reach))
            {
                continue;
            }

            var overlap = truth.Ignored ? 0 : _places.Box(i, sides).Iou(box);
            var probability = 1 / (1 + MathF.Exp(-scores[truth.Category * _places.Count + i]));
            var square = overlap * overlap;
            _candidates[count++] = (MathF.Sqrt(probability) * square * square * square + 1e-9f * overlap, overlap, i);
        }

        return _candidates.AsSpan(0, count);
    }

    /// <summary>Quality focal loss with exponent 2 and its derivative.</summary>
    private static double Quality(float logit, float target, out float slope)
    {
        var p = 1 / (1 + MathF.Exp(-logit));
        // log(1 + exp(-|z|)) is exact where p rounds to 0 or 1.
        var entropy = Math.Max(logit, 0) - logit * target + MathF.Log(1 + MathF.Exp(-Math.Abs(logit)));
        var off = p - target;
        slope = 2 * off * p * (1 - p) * entropy + off * off * off;
        return off * off * entropy;
    }

    private double Pull(int i, ReadOnlySpan<float> sides, Sides truth, float weight, Span<float> gradient)
    {
        var box = _places.Box(i, sides);
        var (x, y) = _places.Centre(i);
        var (w, h) = (box.Width, box.Height);
        var (overlapW, overlapH) = (Math.Min(box.Right, truth.Right) - Math.Max(box.Left, truth.Left),
            Math.Min(box.Bottom, truth.Bottom) - Math.Max(box.Top, truth.Top));
        var overlaps = overlapW > 0 && overlapH > 0;
        var overlap = overlaps ? overlapW * overlapH : 0;
        var union = box.Area + truth.Area - overlap;
        var (hullW, hullH) = (Math.Max(box.Right, truth.Right) - Math.Min(box.Left, truth.Left),
            Math.Max(box.Bottom, truth.Bottom) - Math.Min(box.Top, truth.Top));
        var hull = hullW * hullH;

        var count = _places.Count;
        gradient[i] = weight * (x - box.Left) * Slope(h, box.Left > truth.Left, overlapH, hullH);
        gradient[count + i] = weight * (y - box.Top) * Slope(w, box.Top > truth.Top, overlapW, hullW);
        gradient[2 * count + i] = weight * (box.Right - x) * Slope(h, box.Right < truth.Right, overlapH, hullH);
        gradient[3 * count + i] = weight * (box.Bottom - y) * Slope(w, box.Bottom < truth.Bottom, overlapW, hullW);
        return weight * (2 - overlap / union - union / hull);

        // Derivative of 2 - I / U - U / C by a side's distance; times the distance: by its logarithm, which the head predicts.
        float Slope(float across, bool isInside, float acrossOverlap, float acrossHull)
        {
            var more = isInside && overlaps ? acrossOverlap : 0;
            var moreUnion = across - more;
            var moreHull = isInside ? 0 : acrossHull;
            return -(more * union - overlap * moreUnion) / (union * union) - (moreUnion * hull - union * moreHull) / (hull * hull);
        }
    }
}
