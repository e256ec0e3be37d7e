using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Detection;

/// <summary>
/// The trained part of a detector, and the input it needs. <see cref="Detector.Detect"/> may use it from many threads at once.
/// </summary>
public sealed class DetectionHead : IDisposable
{
    private readonly ServedHead? _served;
    private readonly OnnxHead? _onnx;

    /// <exception cref="ArgumentException">The parts do not fit together, or some numbers are not finite.</exception>
    internal DetectionHead(DetectionHeadArtifact artifact)
    {
        artifact.Require();
        Artifact = artifact;
        if (ServedHead.Serves(artifact.Network))
        {
            _served = new(artifact.Network, artifact.Parameters);
        }
        else
        {
            _onnx = new(artifact.Network, artifact.Parameters);
        }
    }

    /// <summary>Category names, by index.</summary>
    public IReadOnlyList<string> Categories => Artifact.Categories;

    /// <summary>Id of the backbone whose maps it reads.</summary>
    public string BackboneId => Artifact.BackboneId;

    /// <summary>SHA-256 of the backbone's file.</summary>
    public string BackboneSha256 => Artifact.BackboneSha256;

    /// <summary><see cref="BackboneManifest.InputId"/> of the backbone; the size is that of <see cref="Letterbox"/>.</summary>
    public string InputId => Artifact.InputId;

    /// <summary>Longer side in pixels of the image that the backbone reads.</summary>
    public int Resolution => Artifact.Resolution;

    /// <summary>Probability threshold of each category, chosen for the best F1.</summary>
    public IReadOnlyList<float> Thresholds => Artifact.Thresholds;

    /// <summary>Number of learned parameters.</summary>
    public int TrainableParameters => Artifact.Parameters.Length;

    internal DetectionHeadArtifact Artifact { get; }

    /// <summary>The head as a file; the same head always gives the same bytes.</summary>
    public byte[] Write() => Artifact.Write();

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="HeadArtifactException">The bytes are not a detection head, are damaged, or were written by a newer version;
    /// the message says which.</exception>
    public static DetectionHead Read(ReadOnlySpan<byte> bytes) => new(DetectionHeadArtifact.Read(bytes));

    /// <summary>Runs the head on an image's maps.</summary>
    /// <param name="maps">Maps of the backbone that feeds the head.</param>
    /// <param name="use">Reads logits <c>[k, places]</c> and sides <c>[4, places]</c>, see <see cref="HeadNetwork.Run"/>. The sides of a
    /// place whose logits are all below <see cref="TrainingDefaults.LeastLogit"/> are undefined.</param>
    internal T Ask<T>(StageMaps maps, Func<ReadOnlySpan<float>, ReadOnlySpan<float>, T> use) =>
        _served is not null ? _served.Ask(maps, use) : _onnx!.Ask(maps, use);

    public void Dispose() => _onnx?.Dispose();
}
