using System.Diagnostics;
using Headstart.Learning;
using Headstart.Learning.Detection;
using Headstart.Learning.Native;
using Microsoft.ML.OnnxRuntime;
using NetVips;

namespace Headstart.Benchmarks.Detection;

/// <summary>Measures a head that an earlier run wrote: the time of each part of a prediction, and how far the exported model is from the
/// service.</summary>
internal static class WrittenHead
{
    private const int TimedPictures = 10, Turns = 4, Asks = 20;
    private const float Pixel = 1, Close = 0.02f; // what an export may differ by

    /// <summary>On one thread. The minimum of several turns, because other load only adds time. The head is also timed in ONNX Runtime,
    /// which runs it where vectors have fewer than 512 bits.</summary>
    public static void Time(DetectorBackbone backbone, DetectionHead head, IReadOnlyList<DetectionExample> test)
    {
        string[] parts = ["decode and scale", "backbone", "head", "head in ONNX Runtime", "objects"];
        var sums = new double[parts.Length];
        var (candidates, places) = (0, 0);
        using var onnx = new OnnxHead(head.Artifact.Network, head.Artifact.Parameters);
        foreach (var file in test.Take(TimedPictures).Select(example => example.Read()))
        {
            var best = new double[parts.Length];
            Array.Fill(best, double.MaxValue);
            for (var turn = 0; turn < Turns; turn++)
            {
                var start = Stopwatch.GetTimestamp();
                using var picture = Letterbox.Of(file, head.Resolution);
                var chw = new float[3 * picture.CanvasWidth * picture.CanvasHeight];
                picture.Fill(chw, backbone.Manifest.Preprocessing);
                Took(0, start);
                start = Stopwatch.GetTimestamp();
                using var maps = backbone.Read(chw, picture.CanvasWidth, picture.CanvasHeight);
                Took(1, start);
                for (var ask = 0; ask < Asks; ask++)
                {
                    start = Stopwatch.GetTimestamp();
                    onnx.Ask(maps, (_, _) => Took(3, start));
                    start = Stopwatch.GetTimestamp();
                    head.Ask(maps, (scores, sides) =>
                    {
                        Took(2, start);
                        start = Stopwatch.GetTimestamp();
                        Decoding.Objects(new Places(picture.CanvasWidth, picture.CanvasHeight), scores, sides,
                            (head.Artifact.Logit(head.Thresholds.Min()), head.Artifact.SameObject), TrainingDefaults.MostObjects);
                        if (turn + ask == 0)
                        {
                            places += scores.Length / head.Categories.Count;
                            foreach (var score in scores)
                            {
                                candidates += score >= TrainingDefaults.LeastLogit ? 1 : 0;
                            }
                        }

                        return Took(4, start);
                    });
                }
            }

            for (var part = 0; part < parts.Length; part++)
            {
                sums[part] += best[part] / TimedPictures;
            }

            bool Took(int part, long start)
            {
                best[part] = Math.Min(best[part], Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                return true;
            }
        }

        Console.WriteLine($"{head.Resolution} pixels, {places / TimedPictures} places, {candidates / TimedPictures} answers above "
            + $"{TrainingDefaults.LeastLogit}, maps of {string.Join(", ", backbone.Channels)} channels; ms: "
            + string.Join(", ", parts.Zip(sums, (part, sum) => $"{part} {sum:0.00}")));
    }

    /// <summary>Compares the objects of the service and of the exported model.</summary>
    public static void Compare(DetectorBackbone backbone, DetectionHead head, IReadOnlyList<DetectionExample> examples)
    {
        VipsRuntime.EnsureLoaded();
        var threshold = head.Thresholds.Min();
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(
            DetectionExport.Build(backbone, head, threshold - 2 * Close, new Dictionary<string, string>()), options);
        var (objects, missing) = (0, 0);
        var (edges, probabilities) = (new List<double>(), new List<double>());
        foreach (var file in examples.Select(example => example.Read()))
        {
            var service = Detector.Detect(backbone, head, file, threshold);
            var export = Ask(session, file);
            foreach (var found in service.Objects)
            {
                objects++;
                var pixels = (DetectedObject other) => ((double[])[(other.Box.X - found.Box.X) * service.Width,
                    (other.Box.Y - found.Box.Y) * service.Height, (other.Box.Width - found.Box.Width) * service.Width,
                    (other.Box.Height - found.Box.Height) * service.Height]).Max(Math.Abs);
                if (export.Where(other => other.Category == found.Category).MinBy(pixels) is not { } twin)
                {
                    missing++;
                    continue;
                }

                edges.Add(pixels(twin));
                probabilities.Add(Math.Abs(twin.Probability - found.Probability));
            }
        }

        var within = edges.Zip(probabilities).Count(pair => pair.First <= Pixel && pair.Second <= Close);
        Console.WriteLine($"{objects} objects in {examples.Count} images: {within} within {Pixel} pixel and {Close} of the export's, "
            + $"{missing} missing there; pixels: median {Quantile(edges, 0.5):0.000}, 99 % {Quantile(edges, 0.99):0.000}, most "
            + $"{edges.Max():0.000}; probability: 99 % {Quantile(probabilities, 0.99):0.0000}, most {probabilities.Max():0.0000}");
    }

    private static double Quantile(List<double> values, double share) => values.Order().ElementAt((int)(share * (values.Count - 1)));

    private static List<DetectedObject> Ask(InferenceSession session, byte[] file)
    {
        using var image = Image.NewFromBuffer(file);
        using var upright = image.Autorot();
        using var srgb = upright.Colourspace(Enums.Interpretation.Srgb);
        using var opaque = srgb.HasAlpha() ? srgb.Flatten(background: [255, 255, 255]) : srgb.Copy();
        using var pixels = OrtValue.CreateTensorValueFromMemory(opaque.WriteToMemory<byte>(), [opaque.Height, opaque.Width, 3]);
        using var run = new RunOptions();
        using var answer = session.Run(run, [DetectionExport.Image], [pixels],
            [DetectionExport.Boxes, DetectionExport.Scores, DetectionExport.Labels]);
        float[] boxes = [.. answer[0].GetTensorDataAsSpan<float>()], scores = [.. answer[1].GetTensorDataAsSpan<float>()];
        long[] labels = [.. answer[2].GetTensorDataAsSpan<long>()];
        return [.. scores.Select((score, i) => new DetectedObject((int)labels[i],
            new(boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]), score))];
    }
}
