using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;
using NetVips;

namespace Headstart.Learning.Tests.Evaluation;

public sealed class NearDuplicatesTests
{
    [Fact]
    public void A_scaled_and_compressed_photograph_is_like_the_original_and_no_other_is()
    {
        string[] files = [.. SharedData.Photographs("hymenoptera").Take(20), .. SharedData.Photographs("sign_digits").Take(40)];
        var prints = files.Select(file => Fingerprint.Of(File.ReadAllBytes(file))).ToArray();
        foreach (var (file, print) in files.Zip(prints))
        {
            using var image = Image.NewFromFile(file);
            using var smaller = image.Resize(0.6);
            Assert.InRange(print.Likeness(Fingerprint.Of(smaller.JpegsaveBuffer(q: 60))), 0.975, 1.001);
        }

        Assert.All(prints.SelectMany((one, i) => prints.Skip(i + 1).Select(one.Likeness)), likeness => Assert.InRange(likeness, -1, 0.95));
    }

    [Fact]
    public void Alike_finds_every_close_pair_across_blocks_and_groups_hang_together()
    {
        var random = new Random(1);
        var features = Enumerable.Range(0, 1500).Select(_ => Enumerable.Range(0, 40).Select(_ => random.NextSingle() - 0.5f).ToArray())
            .ToList();
        features[1200] = [.. features[3].Select(value => 2 * value)]; // in another block, another length
        features[1400] = features[1200];

        var pairs = NearDuplicates.Alike(features, 0.99, TestContext.Current.CancellationToken);

        Assert.Equal([(3, 1200), (3, 1400), (1200, 1400)], pairs.Select(pair => (pair.First, pair.Second)).Order());
        var groups = NearDuplicates.Groups(1500, pairs.Select(pair => (pair.First, pair.Second)));
        Assert.Equal([3, 3, 3], [groups[3], groups[1200], groups[1400]]);
        Assert.Equal(1498, groups.Distinct().Count());
    }

    [Fact]
    public void Near_duplicates_are_never_torn_apart_by_a_split()
    {
        // Pure noise: every image's copy gives its label away, and nothing else does.
        var random = new Random(1);
        var originals = Enumerable.Range(0, 60).Select(_ => Enumerable.Range(0, 30).Select(_ => random.NextSingle()).ToArray()).ToList();
        var set = new LabelledFeatures([.. originals, .. originals], [.. Enumerable.Range(0, 120).Select(i => i % 60 % 2)], ["a", "b"]);

        double Accuracy(LabelledFeatures of) => HeadTraining.CrossValidate(of, 1, TestContext.Current.CancellationToken).Accuracy!.Value;

        Assert.True(Accuracy(set) > 0.75, "Copies give the answer away, or this tests nothing.");
        Assert.InRange(Accuracy(set with { Groups = [.. Enumerable.Range(0, 120).Select(i => i % 60)] }), 0.2, 0.65);
    }
}
