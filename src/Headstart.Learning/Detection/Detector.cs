using System.Buffers;
using Headstart.Learning.Imaging;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>Finds objects in images.</summary>
public static class Detector
{
    /// <summary>Decodes and scales the image, runs the backbone and the head, and removes duplicates: boxes that overlap much are one
    /// object if they have the same category (non-maximum suppression).</summary>
    /// <param name="backbone">A backbone that <see cref="DetectorBackbone.Feeds"/> the head.</param>
    /// <param name="head">The trained head.</param>
    /// <param name="file">The image's bytes.</param>
    /// <param name="threshold">Lowest probability; null for each category's own <see cref="DetectionHead.Thresholds"/>.</param>
    /// <param name="most">Maximum number of objects.</param>
    /// <exception cref="ArgumentException">The head was trained with another backbone.</exception>
    /// <exception cref="ImageRefusedException">The file cannot be read, or is damaged anywhere.</exception>
    public static Detections Detect(DetectorBackbone backbone, DetectionHead head, byte[] file, float? threshold = null,
        int most = MostObjects)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        ArgumentNullException.ThrowIfNull(head);
        ArgumentNullException.ThrowIfNull(file);
        if (!backbone.Feeds(head))
        {
            throw new ArgumentException($"The head reads {head.BackboneId}, not {backbone.Manifest.Id}.", nameof(backbone));
        }

        using var picture = Letterbox.Of(file, head.Resolution);
        using var maps = Read(backbone, picture);
        var artifact = head.Artifact;
        var least = artifact.Logit(threshold ?? head.Thresholds.Min());
        var found = head.Ask(maps, (scores, sides) => Decoding.Objects(new Places(picture.CanvasWidth, picture.CanvasHeight), scores,
            sides, (least, artifact.SameObject), Math.Max(most, MostObjects)));
        return new(picture.Frame.PictureWidth, picture.Frame.PictureHeight, [.. found
            .Select(box => new DetectedObject(box.Category, picture.Frame.ToPicture(box.Box), artifact.Probability(box.Logit)))
            .Where(answer => answer.Box.IsSound && answer.Probability >= (threshold ?? head.Thresholds[answer.Category])).Take(most)]);
    }

    /// <summary>The slow part of <see cref="Detect"/>: decodes, scales and runs the backbone.</summary>
    public static void Look(DetectorBackbone backbone, DetectionHead head, byte[] file)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        ArgumentNullException.ThrowIfNull(head);
        using var picture = Letterbox.Of(file, head.Resolution);
        Read(backbone, picture).Dispose();
    }

    private static StageMaps Read(DetectorBackbone backbone, Letterbox picture)
    {
        var length = 3 * picture.CanvasWidth * picture.CanvasHeight;
        var chw = ArrayPool<float>.Shared.Rent(length);
        try
        {
            picture.Fill(chw.AsSpan(0, length), backbone.Manifest.Preprocessing);
            return backbone.Read(chw.AsMemory(0, length), picture.CanvasWidth, picture.CanvasHeight);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(chw);
        }
    }
}
