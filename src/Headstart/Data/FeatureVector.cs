namespace Headstart.Data;

/// <summary>
/// The cached feature vector of one image in one feature space (backbone and preprocessing). It belongs to the bytes and not to a
/// model, so the same photograph is never computed twice.
/// </summary>
public sealed class FeatureVector
{
    public required byte[] Sha256 { get; init; }

    /// <summary>The backbone's <c>FeatureSpace</c>; fingerprints have one, too.</summary>
    public required string Space { get; init; }

    /// <summary>Little-endian float32; of a fingerprint its bytes.</summary>
    public required byte[] Values { get; init; }
}
