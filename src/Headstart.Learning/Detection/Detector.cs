using Headstart.Learning.Imaging;

namespace Headstart.Learning.Detection;

/// <summary>Finds objects in pictures.</summary>
public static class Detector
{
    /// <summary>Decodes, scales, reads the maps, and finds. Objects of one category that overlap much are one object (non-maximum
    /// suppression), those of different categories are not.</summary>
    /// <param name="backbone">That <see cref="DetectorBackbone.Feeds"/> the head.</param>
    /// <param name="head">Whose categories it is about.</param>
    /// <param name="file">The picture's bytes.</param>
    /// <param name="threshold">Least probability; null for each category's own <see cref="DetectionHead.Thresholds"/>.</param>
    /// <param name="most">Most objects.</param>
    /// <exception cref="ImageRefusedException">The file cannot be read, or is damaged anywhere.</exception>
    public static Detections Detect(DetectorBackbone backbone, DetectionHead head, byte[] file, float? threshold = null,
        int most = TrainingDefaults.MostObjects) => throw new NotImplementedException();
}
