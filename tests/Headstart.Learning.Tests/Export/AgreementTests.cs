using Headstart.Learning.Export;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Tests.Export;

public sealed class AgreementTests
{
    /// <summary>Each photograph is judged by a head that has not seen it: one learned from the set's other half. The benchmark
    /// <c>promises</c> asks for 999 labels in a thousand of five sets.</summary>
    [Theory]
    [InlineData("squeezenet1.1")]
    public async Task The_exported_model_and_the_service_agree_on_the_labels_of_photographs(string recipeId)
    {
        using var loaded = new Shelf(recipeId);
        var backbone = SharedData.Backbones().Single(file => file.Manifest.Id == recipeId);
        var (photographs, agreed, largest) = (0, 0, 0f);
        foreach (var (learned, judged) in new[] { ("clothing/train", "clothing/test"), ("flowers/train", "flowers/test") })
        {
            var data = await SharedData.Features(backbone, learned);
            var head = HeadTraining.Train(data, new HeadMethod(HeadKind.Logistic, 0.03), TestContext.Current.CancellationToken);
            using var exported = new ExportedModel(ModelExport.Build(loaded.Recipe, head, NoveltyDetector.Of(data),
                new Dictionary<string, string>()));
            var seen = await SharedData.Features(backbone, judged); // by the service, in the order of the files
            foreach (var (i, file) in SharedData.Photographs(judged).Index())
            {
                var service = head.Probabilities(seen.Features[i]);
                var export = exported.Ask(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)).Probabilities;
                photographs++;
                agreed += Array.IndexOf(service, service.Max()) == Array.IndexOf(export, export.Max()) ? 1 : 0;
                largest = Math.Max(largest, service.Zip(export, (a, b) => Math.Abs(a - b)).Max());
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{agreed} of {photographs} photographs; probabilities differ by {largest} at most.");
        Assert.True(photographs > 100);
        Assert.True(agreed >= photographs - 1, $"{agreed} of {photographs}"); // one may lie between two labels
        Assert.True(largest < 0.02, $"{largest}");
    }
}
