using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Heads;

public sealed class NoveltyDetectorTests
{
    [Fact]
    public async Task Clothes_steel_and_hands_are_neither_cats_nor_dogs()
    {
        var file = SharedData.Backbones().Single(backbone => backbone.Manifest.Id == "mobilenetv2-1.0");
        var pets = await SharedData.Features(file, "cats_dogs");
        bool Held(int i) => i % 4 == 0;
        var known = NoveltyDetector.Of(pets.Some([.. Enumerable.Range(0, pets.Count).Where(i => !Held(i))]));

        var falseAlarms = Enumerable.Range(0, pets.Count).Where(Held).Count(i => known.IsUnknown(pets.Features[i]));
        Assert.InRange(falseAlarms, 0, 3); // of 15; 5 % are expected
        foreach (var set in (string[])["clothing/test", "steel_defects/test", "sign_digits/test"])
        {
            var foreign = await SharedData.Features(file, set);
            var caught = foreign.Features.Count(features => known.IsUnknown(features));
            Assert.True(caught >= 0.8 * foreign.Count, $"{caught} of {foreign.Count} in {set}");
        }
    }

    [Fact]
    public void As_many_of_its_own_images_are_unknown_as_was_asked_for()
    {
        var random = new Random(2);
        float[] Image(int label) => [.. Enumerable.Range(0, 20)
            .Select(j => (j % 2 == label ? 1 : 0) + 0.4f * (random.NextSingle() - 0.5f))];
        var set = new LabelledFeatures([.. Enumerable.Range(0, 400).Select(i => Image(i % 2))],
            [.. Enumerable.Range(0, 400).Select(i => i % 2)], ["a", "b"]);

        var known = NoveltyDetector.Of(set, falseAlarms: 0.1);

        Assert.InRange(Enumerable.Range(0, 2000).Count(i => known.IsUnknown(Image(i % 2))), 120, 290);
        Assert.True(known.IsUnknown(new float[20]));
    }

    [Fact]
    public void Seldom_are_more_of_the_images_to_come_unknown_than_was_promised()
    {
        var random = new Random(4);
        float[] Image(int label) => [.. Enumerable.Range(0, 10)
            .Select(j => (j % 2 == label ? 1 : 0) + 0.8f * (random.NextSingle() - 0.5f))];
        const int Draws = 100;
        var kept = 0;
        for (var draw = 0; draw < Draws; draw++)
        {
            var known = NoveltyDetector.Of(new LabelledFeatures([.. Enumerable.Range(0, 200).Select(i => Image(i % 2))],
                [.. Enumerable.Range(0, 200).Select(i => i % 2)], ["a", "b"]));
            kept += Enumerable.Range(0, 2_000).Count(i => known.IsUnknown(Image(i % 2))) <= 0.05 * 2_000 ? 1 : 0;
        }

        Assert.InRange(kept, 0.75 * Draws, Draws); // 85 are meant
    }

    [Fact]
    public void Where_a_category_has_one_scene_nothing_is_unknown()
    {
        var set = new LabelledFeatures([[1, 0.1f], [1, 0.11f], [0.1f, 1], [0.11f, 1]], [0, 0, 1, 1], ["a", "b"]) { Groups = [0, 0, 2, 2] };

        Assert.True(NoveltyDetector.Of(set with { Groups = null }).IsUnknown([-1, -1]));
        Assert.False(NoveltyDetector.Of(set).Decides);
        Assert.False(NoveltyDetector.Of(set).IsUnknown([-1, -1]));
    }
}
