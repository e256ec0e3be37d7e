namespace Headstart.Learning.Backbones;

/// <summary>A published file.</summary>
/// <param name="Address">Download address; null if unknown.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">SHA-256 of its bytes, lower-case hexadecimal.</param>
public sealed record PublishedFile(Uri? Address, long Bytes, string Sha256);
