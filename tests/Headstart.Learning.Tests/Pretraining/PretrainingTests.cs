using Headstart.Learning.Backbones;
using Headstart.Learning.Native;
using Headstart.Pretraining;
using Headstart.Tests;
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
        Assert.Throws<OperationCanceledException>(() =>
            PretrainingRun.Execute(settings with { Output = broken.Path }, new Progress(), stop.Token, _ => stop.Cancel()));
        Assert.Equal("1", File.ReadAllText(Path.Combine(broken.Path, "checkpoint", "epoch.txt")));
        var card = PretrainingRun.Execute(settings with { Output = broken.Path }, new Progress(), Cancel);

        Assert.Equal(File.ReadAllBytes(whole.File("tiny.onnx")), File.ReadAllBytes(broken.File("tiny.onnx")));
        Assert.Contains("mobilenetv2-1.0 (Apache-2.0)", card, StringComparison.Ordinal);
        var file = Assert.Single(BackboneFolders.Find([whole.Path]).Found);
        using var backbone = Backbone.Open(file, threads: 1, stages: true);
        Assert.Equal(1280, backbone.Sections[0].Length);
        Assert.True(backbone.Sections.Count > 1);
    }

    [Fact]
    public void A_student_that_begins_as_the_whole_teacher_computes_what_the_teacher_does()
    {
        using var folder = new TestFolder();
        TorchRuntime.EnsureLoaded();
        using var teacher = Teacher.Open(TeacherFile(), folder.Path);
        using var student = new Student(teacher.Steps, torch.ScalarType.Float32);
        var size = teacher.Manifest.Preprocessing.Size;
        using var images = torch.randn(2, 3, size, size);
        student.Calibrate(images);
        student.eval();

        using var seen = student.forward(images).permute(0, 2, 3, 1);

        using var truth = teacher.Map([.. Enumerable.Range(0, 2).Select(i => teacher.Extract([.. images[i].data<float>()]))],
            seen.shape[1]);
        using var difference = (seen - truth).abs().max();
        Assert.InRange(difference.item<float>(), 0, 0.01f);
    }

    [Fact]
    public void What_is_exported_computes_what_was_trained()
    {
        using var folder = new TestFolder();
        TorchRuntime.EnsureLoaded();
        using var teacher = Teacher.Open(TeacherFile(), folder.Path);
        torch.random.manual_seed(1);
        using var student = new Student(StudentPlan.Shorten(teacher.Steps), torch.ScalarType.Float32);
        using var images = torch.randn(4, 3, 64, 64);
        student.Calibrate(images);
        for (var i = 0; i < 20; i++)
        {
            student.forward(images).Dispose(); // moves the averages of batch norm, which folding can get wrong
        }

        student.eval();
        using var expected = student.forward(images).mean([2, 3]);
        var path = folder.File("student.onnx");
        File.WriteAllBytes(path, StudentExport.ToOnnx(student));
        var manifest = teacher.Manifest with { Preprocessing = teacher.Manifest.Preprocessing with { Size = 64 } };
        using var backbone = Backbone.Open(new BackboneFile(manifest, path), threads: 1);

        var features = backbone.Extract(images.data<float>().ToArray(), 4);

        float[] truth = [.. expected.data<float>()];
        var scale = truth.Max(Math.Abs);
        // weights are float16
        Assert.All(features.SelectMany(row => row).Zip(truth), pair => Assert.Equal(pair.Second, pair.First, 0.01 * scale));
        Assert.Equal(37, student.Steps.Count(step => step.Convolution is not null)); // of 52: five blocks of three less
    }

    private static BackboneFile TeacherFile() =>
        BackboneFolders.Find([SharedData.Folder("backbones")]).Found.Single(file => file.Manifest.Id == "mobilenetv2-1.0");

    private static PretrainingSettings Settings(TestFolder output) => new()
    {
        Photographs = Pets.Folder,
        Teacher = Path.Combine(SharedData.Folder("backbones"), "mobilenetv2-1.0.onnx"),
        Output = output.Path,
        Id = "tiny",
        Limit = 16,
        InputSize = 64,
        ReadSize = 64,
        Epochs = 2,
        BatchSize = 8,
        Threads = 1,
        HalfPrecision = false,
    };
}
