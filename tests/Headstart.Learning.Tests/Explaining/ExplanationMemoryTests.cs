using Headstart.Learning.Backbones;
using Headstart.Learning.Explaining;
using Headstart.Learning.Heads;
using Headstart.Learning.Native;

namespace Headstart.Learning.Tests.Explaining;

[Collection(Alone.Name)]
public sealed class ExplanationMemoryTests
{
    [Fact]
    public void Memory_stays_flat_over_many_explanations()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1, stages: true);
        var recipe = FeatureRecipe.Of(backbone);
        var head = new Head(["a", "b"], new DenseLayer(recipe.Length,
            [.. Enumerable.Repeat(1f, recipe.Length), .. new float[recipe.Length]], [0, 0]));
        var files = SharedData.Photographs("cats_dogs").Select(File.ReadAllBytes).ToArray();
        void Explain(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.NotNull(HeatMap.Of(files[i % files.Length], recipe, head, 0)?.Over(files[i % files.Length]));
            }
        }

        Explain(40);
        var before = Resident();
        Explain(100);
        var growth = Resident() - before;

        // One leaked photograph, input (600 kB) or map (350 kB) an image would be more than 33 MiB.
        Assert.True(growth < 25 * Memory.MiB, $"100 explanations left {growth / Memory.MiB} MiB behind.");
    }

    [Fact]
    public void Sessions_for_maps_go_with_their_backbones()
    {
        static void OpenAndClose(int times)
        {
            for (var i = 0; i < times; i++)
            {
                using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);
                Assert.NotNull(backbone.Maps);
            }
        }

        OpenAndClose(4);
        var before = Resident();
        OpenAndClose(30);
        var growth = Resident() - before;

        // A session that stays takes its 3 MB of weights and more.
        Assert.True(growth < 60 * Memory.MiB, $"30 backbones left {growth / Memory.MiB} MiB behind.");
    }

    /// <summary>Without what was freed and is only kept for later, which is tens of MiB more or less here.</summary>
    private static long Resident()
    {
        ProcessMemory.Trim();
        return Memory.Resident();
    }
}
