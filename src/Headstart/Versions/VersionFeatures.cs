using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;

namespace Headstart.Versions;

/// <summary>The features that a head reads.</summary>
/// <param name="Id">Their name, for people and for training runs that request them.</param>
/// <param name="Length">Numbers per example.</param>
/// <param name="MsPerExample">Milliseconds per example on this host.</param>
public abstract record VersionFeatures(string Id, int Length, double MsPerExample);

/// <summary>Features of images.</summary>
public sealed record ImageFeatures(FeatureRecipe Recipe) : VersionFeatures(Recipe.Id, Recipe.Length, Recipe.MsPerImage);

/// <summary>Features of texts.</summary>
public sealed record WordFeatures(TextFeatures Texts) : VersionFeatures(Texts.Id, Texts.Length, Texts.MsPerText);
