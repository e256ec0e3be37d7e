using Headstart.Learning.Backbones;
using Headstart.Learning.Native;
using Headstart.Pretraining;
using TorchSharp;

namespace Headstart.Learning.Tests.Pretraining;

/// <summary>A student of a few seconds: it learns next to nothing, but everything that a real one goes through happens to it.</summary>
public sealed class PretrainingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void A_run_that_was_stopped_ends_as_the_same_backbone_as_one_that_was_not()
    {
        using var whole = new TestFolder();
        using var broken = new TestFolder();
        var settings = Settings(whole);
        PretrainingRun.Execute(settings, new Progress(), Cancel);

        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => PretrainingRun.Execute(settings with { Output = broken.Path }, new Progress(), stop.Token, _ => stop.Cancel()));
        Assert.Equal("1", File.ReadAllText(Path.Combine(broken.Path, "checkpoint", "epoch.txt")));
        var card = PretrainingRun.Execute(settings with { Output = broken.Path }, new Progress(), Cancel);

        Assert.Equal(File.ReadAllBytes(whole.File("tiny.onnx")), File.ReadAllBytes(broken.File("tiny.onnx")));
        Assert.Contains("mobilenetv2-1.0 (Apache-2.0)", card, StringComparison.Ordinal);
        var file = Assert.Single(BackboneFolders.Find([whole.Path]).Found);
        using var backbone = Backbone.Open(file, threads: 1, stages: true);
        Assert.Equal(Student.Features, backbone.Sections[0].Length);
        Assert.True(backbone.Sections.Count > 1);
    }

    [Fact]
    public void What_is_exported_computes_what_was_trained()
    {
        using var folder = new TestFolder();
        TorchRuntime.EnsureLoaded();
        torch.random.manual_seed(1);
        using var student = new Student(torch.ScalarType.Float32);
        using var images = torch.randn(4, 3, 64, 64);
        for (var i = 0; i < 20; i++)
        {
            student.forward(images).Dispose(); // gives batch norm averages that folding can get wrong
        }

        student.eval();
        using var expected = student.forward(images).mean([2, 3]);
        var path = folder.File("student.onnx");
        File.WriteAllBytes(path, StudentExport.ToOnnx(student));
        using var backbone = Backbone.Open(new BackboneFile(new BackboneManifest
        {
            Id = "student",
            Features = Student.Features,
            Preprocessing = StudentPreprocessing.At(64),
            Source = "test",
            Licence = "none",
            Sha256 = new string('0', 64),
        }, path), threads: 1);

        var features = backbone.Extract(images.data<float>().ToArray(), 4);

        float[] truth = [.. expected.data<float>()];
        var scale = truth.Max(Math.Abs);
        Assert.All(features.SelectMany(row => row).Zip(truth), pair => Assert.Equal(pair.Second, pair.First, 0.01 * scale)); // weights are float16
    }

    private static PretrainingSettings Settings(TestFolder output) => new()
    {
        Photographs = SharedData.Folder("datasets/cats_dogs"),
        Teachers = Path.Combine(SharedData.Folder("backbones"), "mobilenetv2-1.0.onnx"),
        Output = output.Path,
        Id = "tiny",
        Limit = 32,
        Views = 2,
        Epochs = 2,
        BatchSize = 8,
        Threads = 1,
        HalfPrecision = false,
    };
}
