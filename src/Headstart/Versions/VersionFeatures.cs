using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;

namespace Headstart.Versions;

/// <summary>What a head reads.</summary>
/// <param name="Id">Names it, for people and for runs that ask for it.</param>
/// <param name="Length">Numbers for one example.</param>
/// <param name="MsPerExample">Milliseconds for one on this host.</param>
public abstract record VersionFeatures(string Id, int Length, double MsPerExample);

/// <summary>Features of images.</summary>
public sealed record ImageFeatures(FeatureRecipe Recipe) : VersionFeatures(Recipe.Id, Recipe.Length, Recipe.MsPerImage);

/// <summary>Features of texts.</summary>
public sealed record WordFeatures(TextFeatures Texts) : VersionFeatures(Texts.Id, Texts.Length, Texts.MsPerText);
