namespace Headstart.Learning.Detection;

/// <summary>
/// A detector as one ONNX model: <c>image</c>, uint8 <c>[height, width, 3]</c> in RGB order, upright and of any size, becomes <c>boxes</c>,
/// float32 <c>[n, 4]</c> (x, y, width, height, relative to the image), <c>scores</c>, float32 <c>[n]</c>, the most probable first, and
/// <c>labels</c>, int64 <c>[n]</c>. Scaling, the backbone, the head, decoding and non-maximum suppression are all inside.
/// </summary>
public static class DetectionExport
{
    public const string Image = "image";
    public const string Boxes = "boxes";
    public const string Scores = "scores";
    public const string Labels = "labels";

    /// <summary>Builds the model and sees that it answers as <see cref="Detector"/> does.</summary>
    /// <param name="backbone">Its file is read again.</param>
    /// <param name="head">Of this backbone.</param>
    /// <param name="threshold">Least probability of what the model answers.</param>
    /// <param name="about">Further entries for the model's metadata.</param>
    /// <exception cref="Export.ModelExportException">The networks cannot be put into one model.</exception>
    /// <exception cref="Backbones.BackboneException">The file of the backbone is gone or is another by now.</exception>
    public static byte[] Build(DetectorBackbone backbone, DetectionHead head, float threshold,
        IReadOnlyDictionary<string, string> about) => throw new NotImplementedException();
}
