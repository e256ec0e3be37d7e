using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>What a head found in a picture, before its scores are probabilities.</summary>
/// <param name="Found">For each of <see cref="SameObject"/>.</param>
/// <param name="Frame">The picture's sizes.</param>
internal sealed record RawAnswer(IReadOnlyList<Decoding.Found>[] Found, PictureFrame Frame);

/// <summary>What the heads of one training have in common: what they read, and what their scores mean.</summary>
internal sealed class HeadTemplate(IReadOnlyList<string> categories, DetectorBackbone backbone, ViewReader reader, int resolution)
{
    private float _slope = 1, _intercept;

    /// <summary>Index of the overlap, among <see cref="SameObject"/>, from which on two boxes are of one object.</summary>
    public int Same { get; private set; }

    /// <summary>By category.</summary>
    public IReadOnlyList<float> Thresholds { get; private set; } = [.. categories.Select(_ => UntriedThreshold)];

    /// <summary>What trained heads look like.</summary>
    public HeadNetwork Network { get; } = new(reader.Kept, categories.Count, HeadWidth);

    /// <summary>Learns what scores mean from answers of heads that had not seen the pictures.</summary>
    public void Calibrate(IReadOnlyList<(RawAnswer Answer, DetectionExample Example)> answers)
    {
        // Cells overlap in a picture, raccoons hardly ever: which boxes are of one object differs.
        Same = Enumerable.Range(0, SameObject.Length).MaxBy(same => DetectionEvaluation.At50(Judged(same), categories.Count));
        (_slope, _intercept) = DetectionCalibration.Fit([.. Matches().SelectMany(matches => matches.Outcomes())]);
        Thresholds = [.. Matches().Select(matches => DetectionEvaluation.Best(matches)?.Probability ?? UntriedThreshold)];

        CategoryMatches[] Matches()
        {
            var pictures = Judged(Same);
            return [.. categories.Select((_, category) => new CategoryMatches(pictures, category))];
        }

        JudgedPicture[] Judged(int same) => [.. answers.Select(pair => new JudgedPicture(pair.Example.Boxes,
            Detections(pair.Answer, same).Objects, pair.Answer.Frame.Aspect))];
    }

    /// <param name="answer">What a head found.</param>
    /// <param name="same">Index among <see cref="SameObject"/>; null for <see cref="Same"/>.</param>
    public Detections Detections(RawAnswer answer, int? same = null) => new(answer.Frame.PictureWidth, answer.Frame.PictureHeight,
        [.. answer.Found[same ?? Same].Select(box => new DetectedObject(box.Category, answer.Frame.ToPicture(box.Box),
            DetectionCalibration.Probability(box.Logit, _slope, _intercept))).Where(found => found.Box.IsSound)]);

    /// <summary>The head that reads the backbone's maps as they are.</summary>
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
