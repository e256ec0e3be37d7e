using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Evaluation;

public sealed class OutliersTests
{
    private static readonly float[] Other = [0f, 1f], Nothing = [0f, 0f];

    [Fact]
    public async Task Foreign_photographs_are_found_among_those_of_a_category_and_few_others_with_them()
    {
        var (own, foreign) = (await FeaturesAsync("cats_dogs"), await FeaturesAsync("clothing/train"));
        List<float[]> cats = [.. own.Of(0).Take(30)], clothes = [.. foreign.Of(0).Take(3), .. foreign.Of(1).Take(3)];

        var found = Outliers.Find([.. cats, .. clothes]);

        Assert.InRange(found.Count(i => i >= cats.Count), 5, 6);
        Assert.InRange(found.Count(i => i < cats.Count), 0, 3);
    }

    [Fact]
    public void Where_all_are_alike_none_is_out_and_few_images_say_nothing()
    {
        Assert.Empty(Outliers.Find([.. Enumerable.Repeat(Other, 20)]));
        Assert.Empty(Outliers.Find([.. Alike(6), Other]));
        Assert.Equal(7, Assert.Single(Outliers.Find([.. Alike(7), Other])));
        Assert.Equal(8, Assert.Single(Outliers.Find([.. Alike(8), Nothing])));
        Assert.Empty(Outliers.Find([]));
    }

    private static IEnumerable<float[]> Alike(int count) => Enumerable.Range(0, count).Select(i => new[] { 1f, i / 100f });

    private static async Task<Category> FeaturesAsync(string set) => new(await SharedData.Features(
        SharedData.Backbones().First(backbone => backbone.Manifest.Id == "mobilenetv2-1.0"), set));

    private sealed record Category(LabelledFeatures Set)
    {
        public IEnumerable<float[]> Of(int label) => Enumerable.Range(0, Set.Count).Where(i => Set.Labels[i] == label)
            .Select(i => Set.Features[i]);
    }
}
