using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>The objects a head found in an image, before calibration.</summary>
/// <param name="Found">One list for each overlap in <see cref="SameObject"/>.</param>
/// <param name="Frame">Sizes of the image.</param>
internal sealed record RawAnswer(IReadOnlyList<Decoding.Found>[] Found, PictureFrame Frame);

/// <summary>What the heads of one training share: input, network, calibration and thresholds.</summary>
internal sealed class HeadTemplate(IReadOnlyList<string> categories, DetectorBackbone backbone, ViewReader reader, int resolution)
{
    private float _slope = 1, _intercept;

    /// <summary>Index into <see cref="SameObject"/> of the overlap above which two boxes are one object.</summary>
    public int Same { get; private set; }

    /// <summary>Probability threshold of each category.</summary>
    public IReadOnlyList<float> Thresholds { get; private set; } = [.. categories.Select(_ => UntriedThreshold)];

    /// <summary>The network in training, which reads the projected maps.</summary>
    public HeadNetwork Network { get; } = new(reader.Kept, categories.Count, HeadWidth);

    /// <summary>Sets calibration and thresholds from answers by heads that did not learn from the images.</summary>
    public void Calibrate(IReadOnlyList<(RawAnswer Answer, DetectionExample Example)> answers)
    {
        // Cells overlap, raccoons hardly ever: how much two boxes of one object overlap depends on the data.
        Same = Enumerable.Range(0, SameObject.Length).MaxBy(same => DetectionEvaluation.At50(Judged(same), categories.Count));
        (_slope, _intercept) = DetectionCalibration.Fit([.. Matches().SelectMany(matches => matches.Outcomes())]);
        Thresholds = [.. Matches().Select(matches => DetectionEvaluation.Best(matches)?.Probability ?? UntriedThreshold)];

        CategoryMatches[] Matches()
        {
            var pictures = Judged(Same);
            return [.. categories.Select((_, category) => new CategoryMatches(pictures, category))];
        }

        JudgedPicture[] Judged(int same) =>
            [.. answers.Select(pair => new JudgedPicture(pair.Example.Boxes, Detections(pair.Answer, same)))];
    }

    /// <param name="answer">A head's uncalibrated answer.</param>
    /// <param name="same">Index into <see cref="SameObject"/>; null for <see cref="Same"/>.</param>
    public Detections Detections(RawAnswer answer, int? same = null) => new(answer.Frame.PictureWidth, answer.Frame.PictureHeight,
        [.. answer.Found[same ?? Same].Select(box => new DetectedObject(box.Category, answer.Frame.ToPicture(box.Box),
            DetectionCalibration.Probability(box.Logit, _slope, _intercept))).Where(found => found.Box.IsSound)]);

    /// <summary>The finished head, which reads the backbone's own maps: the projections are folded into its first layers.</summary>
    public DetectionHead Make(float[] parameters)
    {
        var whole = new HeadNetwork(backbone.Channels, categories.Count, HeadWidth);
        var folded = new float[whole.Length];
        foreach (var (from, to) in Network.Layers.Zip(whole.Layers))
        {
            var weights = parameters.AsSpan(from.Offset, from.Weights);
            var bias = parameters.AsSpan(from.Offset + from.Weights, from.Outputs);
            var level = Network.Lateral.ToList().IndexOf(from);
            if (level >= 0)
            {
                var (mixed, shifted) = reader.Projections[level].Fold(weights, bias);
                mixed.CopyTo(folded, to.Offset);
                shifted.CopyTo(folded, to.Offset + to.Weights);
            }
            else
            {
                parameters.AsSpan(from.Offset, from.Length).CopyTo(folded.AsSpan(to.Offset));
            }
        }

        return new(new DetectionHeadArtifact
        {
            BackboneId = backbone.Manifest.Id,
            BackboneSha256 = backbone.Manifest.Sha256,
            InputId = backbone.Manifest.InputId,
            Resolution = resolution,
            Slope = _slope,
            Intercept = _intercept,
            SameObject = SameObject[Same],
            Categories = categories,
            Thresholds = Thresholds,
            Network = whole,
            Parameters = folded,
        });
    }
}
