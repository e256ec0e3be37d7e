using System.Security.Cryptography;
using Google.Protobuf;
using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;
using Headstart.Learning.Export;
using Headstart.Learning.Native;
using Headstart.Learning.Onnx;
using Headstart.Tests;
using Microsoft.ML.OnnxRuntime;
using NetVips;

namespace Headstart.Learning.Tests.Detection;

public sealed class DetectionExportTests(TrainedDetector trained)
{
    private const float Threshold = 0.05f;
    private static readonly Dictionary<string, string> Nothing = [];

    [Fact]
    public void The_exported_model_answers_as_the_service_does()
    {
        var drawn = DrawnObjects.Draw(12, seed: 11).Select(example => example.Read());
        var photographs = Pets.Cats.Concat(Pets.Dogs).Take(12).Select(File.ReadAllBytes);
        Compare(trained.Backbone, trained.Result.Head, [.. drawn, .. photographs]);
    }

    [Fact]
    public void So_it_does_on_real_pictures_with_a_network_that_wants_its_colours_in_another_order()
    {
        using var backbone = DetectorBackbone.Open(DetectorBackboneTests.Find("resnet18-mlnet", [BackboneFolders.Bundled]), threads: 1);
        var files = Directory.GetFiles(SharedData.Folder("datasets/detection/tie_fighters/images")).Order(StringComparer.Ordinal).Take(6)
            .Concat(Directory.GetFiles(SharedData.Folder("datasets/detection/raccoons/images")).Order(StringComparer.Ordinal).Take(6));
        using var head = Untrained(backbone);
        Compare(backbone, head, [.. files.Select(File.ReadAllBytes)]);
    }

    [Fact]
    public void Labels_and_thresholds_are_in_the_metadata()
    {
        using var session = Open(DetectionExport.Build(trained.Backbone, trained.Result.Head, Threshold,
            new Dictionary<string, string> { ["model"] = "m" }));
        var about = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal("""["red","green"]""", about["labels"]);
        Assert.Equal("m", about["model"]);
    }

    [Fact]
    public void A_network_with_functions_of_its_own_is_refused_with_a_sentence()
    {
        using var folder = new TestFolder();
        var file = DetectorBackboneTests.Find("headstart-small", [BackboneFolders.BuiltIn]);
        var network = ModelProto.Parser.ParseFrom(File.ReadAllBytes(file.Path));
        network.OpsetImport.Add(new OperatorSetIdProto { Domain = "mine", Version = 1 });
        // Its name, an operator set, its domain.
        network.Functions.Add(FunctionProto.Parser.ParseFrom([0x0A, 1, (byte)'f', 0x4A, 2, 0x10, 17, 0x52, 4, .. "mine"u8]));
        File.WriteAllBytes(folder.File("f.onnx"), network.ToByteArray());
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(folder.File("f.onnx"))));
        using var backbone = DetectorBackbone.Open(new(file.Manifest with { Sha256 = sha256 }, folder.File("f.onnx")), threads: 1);
        using var head = Untrained(backbone);

        var refused = Assert.Throws<ModelExportException>(() => DetectionExport.Build(backbone, head, Threshold, Nothing));

        Assert.Contains("a network with functions of its own cannot be joined with others", refused.Message);
    }

    /// <summary>Whatever it says, both must say it.</summary>
    private static DetectionHead Untrained(DetectorBackbone backbone)
    {
        var network = new HeadNetwork(backbone.Channels, 3, TrainingDefaults.HeadWidth);
        var parameters = network.Begin(new Random(2));
        parameters.AsSpan(network.Lateral[0].Offset, network.Lateral[0].Weights)[..100].Fill(0.5f);
        var scores = network.Layers[^2];
        parameters.AsSpan(scores.Offset + scores.Weights, 3).Fill(-3);
        return new(new DetectionHeadArtifact
        {
            BackboneId = backbone.Manifest.Id,
            BackboneSha256 = backbone.Manifest.Sha256,
            InputId = backbone.Manifest.InputId,
            Resolution = 320,
            Slope = 0.8f,
            Intercept = 0.3f,
            Categories = ["a", "b", "c"],
            Thresholds = [0.5f, 0.5f, 0.5f],
            Network = network,
            Parameters = parameters,
        });
    }

    private static void Compare(DetectorBackbone backbone, DetectionHead head, IReadOnlyList<byte[]> files)
    {
        using var session = Open(DetectionExport.Build(backbone, head, Threshold, Nothing));
        var (compared, others) = (0, new List<string>());
        foreach (var file in files)
        {
            var service = Detector.Detect(backbone, head, file, Threshold);
            var (boxes, scores, labels) = Ask(session, file);
            foreach (var (category, box, probability) in service.Objects.Where(answer => answer.Probability > Threshold + 0.02f))
            {
                compared++;
                var (x, y, width, height) = (box.X * service.Width, box.Y * service.Height, box.Width * service.Width,
                    box.Height * service.Height);
                if (!Enumerable.Range(0, scores.Length).Any(i => labels[i] == category && Math.Abs(scores[i] - probability) <= 0.02f
                    && Math.Abs(boxes[4 * i] * service.Width - x) <= 1 && Math.Abs(boxes[4 * i + 1] * service.Height - y) <= 1
                    && Math.Abs(boxes[4 * i + 2] * service.Width - width) <= 1
                    && Math.Abs(boxes[4 * i + 3] * service.Height - height) <= 1))
                {
                    var other = $"{category} {probability:0.000} at {x:0.0} {y:0.0} {width:0.0} {height:0.0}";
                    Assert.True(probability < head.Thresholds[category], $"{other} is not in the export.");
                    others.Add(other);
                }
            }

            Assert.Equal(scores.OrderDescending(), scores);
        }

        // Among what is answered only if it is asked for: boxes that overlap just as much as boxes of one object do may be one object here
        // and two there.
        Assert.True(others.Count * 20 <= compared, $"{others.Count} of {compared} are not in the export: {string.Join("; ", others)}");
        Assert.True(compared > files.Count / 2, $"{compared}");
    }

    private static InferenceSession Open(byte[] model)
    {
        OnnxRuntime.EnsureLoaded();
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        return new(model, options);
    }

    private static (float[] Boxes, float[] Scores, long[] Labels) Ask(InferenceSession session, byte[] file)
    {
        VipsRuntime.EnsureLoaded();
        using var image = Image.NewFromBuffer(file);
        using var upright = image.Autorot();
        using var srgb = upright.Colourspace(Enums.Interpretation.Srgb);
        using var opaque = srgb.HasAlpha() ? srgb.Flatten(background: [255, 255, 255]) : srgb.Copy();
        using var pixels = OrtValue.CreateTensorValueFromMemory(opaque.WriteToMemory<byte>(), [opaque.Height, opaque.Width, 3]);
        using var run = new RunOptions();
        using var answer = session.Run(run, [DetectionExport.Image], [pixels],
            [DetectionExport.Boxes, DetectionExport.Scores, DetectionExport.Labels]);
        return (answer[0].GetTensorDataAsSpan<float>().ToArray(), answer[1].GetTensorDataAsSpan<float>().ToArray(),
            answer[2].GetTensorDataAsSpan<long>().ToArray());
    }
}
