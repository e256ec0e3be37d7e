using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Evaluation;

public sealed class LabelErrorsTests
{
    [Theory]
    [InlineData("hymenoptera/train")]
    [InlineData("clothing/train")]
    public async Task Most_swapped_labels_are_among_as_many_suspects(string folder)
    {
        var file = SharedData.Backbones().Single(backbone => backbone.Manifest.Id == "mobilenetv2-1.0");
        var set = await SharedData.Features(file, folder);
        var random = new Random(1);
        var order = Enumerable.Range(0, set.Count).ToArray();
        random.Shuffle(order);
        var swapped = order.Take(set.Count / 10).ToHashSet();
        int[] labels = [.. set.Labels.Select((label, i) => swapped.Contains(i)
            ? (label + 1 + random.Next(set.Categories.Count - 1)) % set.Categories.Count : label)];
        var validation = HeadTraining.CrossValidate(set with { Labels = labels }, seed: 1, TestContext.Current.CancellationToken);

        var suspects = LabelErrors.Find(validation.OutOfFold, labels);

        var found = suspects.Take(swapped.Count).Count(suspect => swapped.Contains(suspect.Image));
        Assert.True(found >= 0.6 * swapped.Count, $"{found} of {swapped.Count}");
        Assert.InRange(suspects.Count(suspect => suspect.Confident), swapped.Count / 2, 3 * swapped.Count);
        Assert.All(suspects, suspect => Assert.NotEqual(suspect.Label, suspect.Suggested));
    }

    [Fact]
    public void Nothing_is_suspect_where_every_label_is_the_likeliest() =>
        Assert.Empty(LabelErrors.Find([[0.9f, 0.1f], [0.4f, 0.6f], [0.51f, 0.49f]], [0, 1, 0]));
}
