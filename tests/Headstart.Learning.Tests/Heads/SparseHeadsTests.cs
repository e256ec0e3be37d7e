using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Heads;

public sealed class SparseHeadsTests
{
    private static readonly string[] Categories = ["a", "b", "c"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(60)] // in the coordinates of their span
    [InlineData(1_500)] // row by row
    public void Heads_of_sparse_rows_are_those_of_the_same_whole_rows(int count)
    {
        var (sparse, whole) = Sets(count);
        var (ofSparse, ofWhole) = (HeadTraining.CrossValidate(sparse, 1, Cancel, repeats: 1, linearOnly: true),
            HeadTraining.CrossValidate(whole, 1, Cancel, repeats: 1, linearOnly: true));
        Assert.Equal(ofWhole.Method, ofSparse.Method);
        Assert.Equal(ofWhole.Accuracy!.Value, ofSparse.Accuracy!.Value, 2.0 / count);

        var (first, second) = (HeadTraining.Train(sparse, ofWhole.Method, Cancel), HeadTraining.Train(whole, ofWhole.Method, Cancel));
        foreach (var features in whole.Features.Take(50))
        {
            Assert.All(first.Probabilities(features).Zip(second.Probabilities(features)), pair =>
                Assert.Equal(pair.Second, pair.First, 0.01));
        }
    }

    [Fact]
    public void Several_labels_a_row_are_learned_from_sparse_rows_too()
    {
        var (sparse, whole) = Sets(1_500);
        int[][] tags = [.. whole.Labels.Select((label, i) => i % 3 == 0 ? (int[])[.. new[] { label, (label + 1) % 3 }.Order()] : [label])];
        var (ofSparse, ofWhole) = (LabelledFeatures.Tagged(sparse.Features, tags, Categories),
            LabelledFeatures.Tagged(whole.Features, tags, Categories));
        var method = new HeadMethod(HeadKind.Logistic, 0.1);
        var (first, second) = (HeadTraining.Train(ofSparse, method, Cancel), HeadTraining.Train(ofWhole, method, Cancel));
        Assert.All(whole.Features.Take(50), features =>
            Assert.All(first.Probabilities(features).Zip(second.Probabilities(features)), pair =>
            Assert.Equal(pair.Second, pair.First, 0.01)));
    }

    private static (LabelledFeatures Sparse, LabelledFeatures Whole) Sets(int count)
    {
        var random = new Random(1);
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 3)];
        var rows = new SparseRows(90, labels.Select(label =>
        {
            int[] columns = [.. Enumerable.Range(0, 90).Where(column => random.NextDouble() < (column / 30 == label ? 0.12 : 0.06))];
            return (columns, columns.Select(_ => random.NextSingle()).ToArray());
        }));
        return (new(rows, labels, Categories), new([.. rows], labels, Categories));
    }
}
