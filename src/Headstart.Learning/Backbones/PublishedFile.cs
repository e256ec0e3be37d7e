namespace Headstart.Learning.Backbones;

/// <summary>A file as it was published.</summary>
/// <param name="Address">Where; null where that is not known.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Of its bytes, lower-case hexadecimal.</param>
public sealed record PublishedFile(Uri? Address, long Bytes, string Sha256);
