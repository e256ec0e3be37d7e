using System.Numerics.Tensors;
using Headstart.Learning.Backbones;
using Headstart.Tests;

namespace Headstart.Learning.Tests.Backbones;

public sealed class BundledBackbonesTests
{
    [Fact]
    public void ResNet_18_comes_as_a_package_and_tells_cats_from_dogs()
    {
        Assert.SkipUnless(Directory.Exists(BackboneFolders.Bundled), "This was built with BundledBackbones=false.");
        var (found, problems) = BackboneFolders.Find([BackboneFolders.Bundled]);
        Assert.Empty(problems);
        using var backbone = Backbone.Open(Assert.Single(found), threads: 1, stages: true);
        var recipe = FeatureRecipe.Of(backbone);
        Assert.Equal(("resnet18-mlnet", 512, 3), (backbone.Manifest.Id, recipe.Length, backbone.Sections.Count));
        Assert.Equal(3, backbone.Maps!.Sections.Count); // of every section a heat map can be drawn

        var pets = Pets.Cats.Take(12).Concat(Pets.Dogs.Take(12)).Select(file => recipe.Extract(File.ReadAllBytes(file))).ToArray();

        // The nearest of the others is of the same kind: with red and blue in the wrong order it is so for fewer.
        var right = Enumerable.Range(0, pets.Length).Count(i => Enumerable.Range(0, pets.Length).Where(j => j != i)
            .MaxBy(j => TensorPrimitives.Dot<float>(pets[i], pets[j])) / 12 == i / 12);
        Assert.True(right >= 19, $"{right} of {pets.Length}");
    }

    [Fact]
    public void A_heat_map_of_ResNet_18_has_the_cells_that_its_last_average_takes()
    {
        Assert.SkipUnless(Directory.Exists(BackboneFolders.Bundled), "This was built with BundledBackbones=false.");
        using var backbone = Backbone.Open(Assert.Single(BackboneFolders.Find([BackboneFolders.Bundled]).Found), threads: 1, stages: true);

        Assert.Equal(7, backbone.Maps!.Extract(backbone.TestImage())[backbone.Sections[0]].Cells);
    }
}
