namespace Headstart.Data;

/// <summary>
/// The cached feature vector of an image in a feature space (backbone and preprocessing). It belongs to the bytes, not to a model, so it is
/// never computed twice for the same photograph.
/// </summary>
public sealed class FeatureVector
{
    public required byte[] Sha256 { get; init; }

    /// <summary>The backbone's <c>FeatureSpace</c>; fingerprints have one of their own.</summary>
    public required string Space { get; init; }

    /// <summary>Little-endian float32; for a fingerprint its bytes.</summary>
    public required byte[] Values { get; init; }
}
