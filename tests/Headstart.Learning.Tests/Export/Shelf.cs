using Headstart.Learning.Backbones;

namespace Headstart.Learning.Tests.Export;

/// <summary>The backbones that a recipe needs, opened with their inner stages as the service does.</summary>
internal sealed class Shelf : IDisposable
{
    private readonly List<Backbone> _backbones;

    public Shelf(string recipeId)
    {
        var wanted = FeatureRecipe.BackboneIds(recipeId).ToHashSet();
        var (files, _) = BackboneFolders.Find([BackboneFolders.BuiltIn, BackboneFolders.Bundled, SharedData.Folder("backbones")]);
        _backbones = [.. files.Where(file => wanted.Contains(file.Manifest.Id))
            .Select(file => Backbone.Open(file, threads: 1, stages: true))];
        Recipe = FeatureRecipe.Parse(recipeId, _backbones)!;
    }

    public FeatureRecipe Recipe { get; }

    public void Dispose() => _backbones.ForEach(backbone => backbone.Dispose());
}
