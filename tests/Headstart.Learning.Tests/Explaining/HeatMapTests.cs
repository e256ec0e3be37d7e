using Headstart.Learning.Backbones;
using Headstart.Learning.Explaining;
using Headstart.Learning.Heads;
using Headstart.Learning.Tests.Imaging;
using NetVips;

namespace Headstart.Learning.Tests.Explaining;

public sealed class HeatMapTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("mobilenetv2-1.0")]
    [InlineData("squeezenet1.1@stride8")]
    [InlineData("mobilenetv2-1.0@stride16+mobilenet-edgetpu-1.0+mobilenetv2-1.0+squeezenet1.1")] // grids of 14, 7, 7 and 13 cells
    public void The_mean_over_all_places_is_the_score(string id)
    {
        using var backbones = new Opened(id);
        var recipe = backbones.Recipe;
        var head = RandomHead(recipe.Length);
        var image = SharedData.OddFile("flower.webp");
        var logits = new float[head.Labels.Count];
        head.Logits(recipe.Extract(image), logits);

        for (var label = 0; label < logits.Length; label++)
        {
            var heat = HeatMap.Of(image, recipe, head, label)!;

            Assert.Empty(heat.Unseen);
            Assert.Equal(heat.Cells * heat.Cells, heat.Evidence.Length);
            var bias = head.Output.Bias.Span[label] - head.Output.Bias.ToArray().Average();
            Assert.Equal(logits[label] - logits.Average(), heat.Evidence.Average() + bias, 1e-3);
        }
    }

    [Fact]
    public async Task An_animal_in_one_quarter_of_a_grey_image_is_where_it_is_hottest()
    {
        using var backbones = new Opened("mobilenetv2-1.0");
        var set = await SharedData.Features(SharedData.Backbones().Single(file => file.Manifest.Id == "mobilenetv2-1.0"), "cats_dogs");
        var head = HeadTraining.Train(set, new(HeadKind.Logistic, 0.1), Cancel);

        var missed = new List<string>();
        foreach (var (i, path) in SharedData.Photographs("cats_dogs").Index())
        {
            var (row, column) = (i / 2 % 2, i % 2);
            var label = set.Categories.Index().Single(category => path.Contains($"/{category.Item}/", StringComparison.Ordinal)).Index;
            var heat = HeatMap.Of(InQuarter(path, row, column), backbones.Recipe, head, label)!;
            var hottest = Array.IndexOf(heat.Evidence, heat.Evidence.Max());
            if (!Touches(row, hottest / heat.Cells, heat.Cells) || !Touches(column, hottest % heat.Cells, heat.Cells))
            {
                missed.Add($"{Path.GetFileName(path)}: place {hottest}");
            }
        }

        // Some are hard to make out on 200 pixels; by chance two thirds would miss.
        Assert.True(missed.Count <= 4, $"{missed.Count} of 60: {string.Join(", ", missed)}");
    }

    /// <summary>Does a cell lie in this half, at least with a part? Of seven cells the fourth lies in both.</summary>
    private static bool Touches(int half, int cell, int cells) => half == 0 ? 2 * cell < cells : 2 * (cell + 1) > cells;

    /// <summary>A grey square with a photograph in one of its quarters.</summary>
    private static byte[] InQuarter(string photograph, int row, int column)
    {
        using var grey = Pictures.Plain(448, 448, 128, 128, 128);
        using var patch = Image.Thumbnail(photograph, 200, height: 200, crop: Enums.Interesting.Centre);
        using var rgb = patch.Colourspace(Enums.Interpretation.Srgb);
        using var opaque = rgb.HasAlpha() ? rgb.Flatten() : rgb.Copy();
        using var image = grey.Insert(opaque, 12 + 224 * column, 12 + 224 * row);
        return image.PngsaveBuffer();
    }

    private static Head RandomHead(int features)
    {
        var random = new Random(1);
        return new(["a", "b", "c"], new DenseLayer(features, [.. Enumerable.Range(0, 3 * features).Select(_ => random.NextSingle() - 0.5f)],
            [1, -2, 0.5f]));
    }

    /// <summary>The recipe with this id, of the shared backbones.</summary>
    private sealed class Opened : IDisposable
    {
        public Opened(string id) => Recipe = FeatureRecipe.Parse(id, [.. SharedData.Backbones()
            .Where(file => FeatureRecipe.BackboneIds(id).Contains(file.Manifest.Id))
                .Select(file => Backbone.Open(file, threads: 1, stages: true))])!;

        public FeatureRecipe Recipe { get; }

        public void Dispose() => Recipe.Backbones.ToList().ForEach(backbone => backbone.Dispose());
    }
}
