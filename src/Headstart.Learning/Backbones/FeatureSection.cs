namespace Headstart.Learning.Backbones;

/// <summary>A stretch of a backbone's feature vector.</summary>
/// <param name="Name">Empty for the network's own features, <c>stride16</c> for the average of the stage whose places step over 16
/// pixels.</param>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">How many numbers it has.</param>
public sealed record FeatureSection(string Name, int Offset, int Length);
