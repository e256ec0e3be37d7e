using System.Diagnostics;
using System.Globalization;
using Headstart.Learning.Backbones;
using Headstart.Learning.Detection;
using Headstart.Learning.Native;

namespace Headstart.Benchmarks.Detection;

/// <summary>
/// <c>detection [set…] [images=20 draws=5] [judge=rest] [backbone=id] [seconds=n] [effort=n]</c>: trains on <c>train.json</c> and is tested
/// on <c>test.json</c> as a user's own test set, for docs/detection.md. With <c>judge=rest</c> it is tested on the images of
/// <c>train.json</c> that were not drawn: experiments are compared on these, never on the test set. <c>write=file</c> keeps the head;
/// <c>head=file [compare=200]</c> measures it and trains nothing (<see cref="WrittenHead"/>).
/// </summary>
internal static class DetectionBenchmark
{
    private const int TimedPictures = 20, Turns = 8;

    public static int Run(string[] arguments, string shared)
    {
        ProcessMemory.Keep(); // as in the workers that train
        var options = arguments.Where(argument => argument.Contains('=')).Select(argument => argument.Split('=', 2))
            .ToDictionary(parts => parts[0], parts => parts[1]);
        string[] sets = [.. arguments.Where(argument => !argument.Contains('='))];
        var rest = options.GetValueOrDefault("judge") == "rest";
        var folder = Path.Combine(shared, "datasets", "detection");
        var backbones = Open(shared, options.GetValueOrDefault("backbone"));
        Console.WriteLine($"{Environment.ProcessorCount} cores; {string.Join(", ", backbones.Select(backbone => backbone.Manifest.Id))}");
        foreach (var set in sets.Length > 0 ? sets : [.. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)).Order()])
        {
            var (categories, train) = DetectionSet.Read(Path.Combine(folder, set), "train");
            var (_, test) = DetectionSet.Read(Path.Combine(folder, set), "test");
            if (options.GetValueOrDefault("head") is { } written)
            {
                using var head = DetectionHead.Read(File.ReadAllBytes(written));
                var backbone = backbones.First(known => known.Feeds(head));
                WrittenHead.Time(backbone, head, test);
                WrittenHead.Compare(backbone, head, [.. train.Concat(test).Take(int.Parse(options.GetValueOrDefault("compare", "20")))]);
                continue;
            }

            if (options.GetValueOrDefault("images") is not { } images)
            {
                Judge(set, Task(train, test), test, options.GetValueOrDefault("write"));
                continue;
            }

            var results = Enumerable.Range(0, int.Parse(options.GetValueOrDefault("draws", "5"))).Select(draw =>
            {
                DetectionExample[] drawn = [.. train];
                new Random(draw).Shuffle(drawn);
                var count = int.Parse(images);
                return Judge($"{set}, draw {draw}", Task(drawn[..count], rest ? drawn[count..] : test), rest ? null : test);
            }).ToList();
            Console.WriteLine($"{set} with {images} images: mAP@0.5 {results.Average():0.000} ({results.Min():0.000} to "
                + $"{results.Max():0.000})");

            DetectionTask Task(DetectionExample[] examples, DetectionExample[] judges) => new(categories, examples,
                [.. judges.Select(example => example with { TestOnly = true })], backbones)
            {
                Effort = double.Parse(options.GetValueOrDefault("effort", "1"), CultureInfo.InvariantCulture),
                Limit = options.TryGetValue("seconds", out var seconds) ? TimeSpan.FromSeconds(int.Parse(seconds)) : null,
            };
        }

        backbones.ForEach(backbone => backbone.Dispose());
        return 0;
    }

    private static List<DetectorBackbone> Open(string shared, string? only)
    {
        var (files, _) = BackboneFolders.Find([BackboneFolders.BuiltIn, BackboneFolders.Bundled, Path.Combine(shared, "backbones")]);
        var opened = new List<DetectorBackbone>();
        foreach (var file in files.Where(file => only is null || file.Manifest.Id == only))
        {
            try
            {
                opened.Add(DetectorBackbone.Open(file, threads: 1));
            }
            catch (BackboneException exception)
            {
                Console.Error.WriteLine(exception.Message);
            }
        }

        return opened;
    }

    private static double Judge(string set, DetectionTask task, IReadOnlyList<DetectionExample>? timed, string? write = null)
    {
        var (start, cpu) = (Stopwatch.GetTimestamp(), Process.GetCurrentProcess().TotalProcessorTime);
        var result = DetectionTraining.Train(task, null, CancellationToken.None);
        var (wall, used) = (Stopwatch.GetElapsedTime(start).TotalSeconds,
            (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds);
        using var head = result.Head;
        var backbone = task.Backbones.First(known => known.Feeds(head));
        var report = result.Report;
        Console.WriteLine($"{set}: {task.Examples.Count} images to learn from, mAP@0.5 {report.At50.Value:0.000} "
            + $"({report.At50.Low:0.000} to {report.At50.High:0.000}), @0.5:0.95 {report.At50To95.Value:0.000}; {wall:0} s, "
            + $"{used:0} s of one core; {(timed is null ? "" : Milliseconds(backbone, head, timed))}");
        Console.WriteLine($"  tried {string.Join(", ", result.Trials.Select(trial => $"{trial.BackboneId} at {trial.Resolution} "
            + $"{trial.At50:0.000}{(trial.Chosen ? " (chosen)" : "")}"))}; seconds {string.Join(", ", result.Seconds
            .Select(stage => $"{stage.Key} {stage.Value:0}"))}");
        Console.WriteLine($"  {report.Errors}; {string.Join("; ", report.Categories.Select(category =>
            $"{category.Name} {category.At50:0.000}"))}; {string.Join("; ", report.Sizes.Select(size =>
            $"{size.Name} {size.At50:0.000} of {size.Boxes}"))}; calibration error {report.CalibrationError:0.000}");
        result.Evaluated?.Dispose();
        if (write is not null)
        {
            File.WriteAllBytes(write, head.Write());
        }

        return report.At50.Value;
    }

    /// <summary>On one thread: time of a whole detection, and of its head and what follows. The minimum of several alternating rounds,
    /// because other load only adds time.</summary>
    private static string Milliseconds(DetectorBackbone backbone, DetectionHead head, IReadOnlyList<DetectionExample> test)
    {
        var files = test.Take(TimedPictures).Select(example => example.Read()).ToList();
        var (whole, read) = (0.0, 0.0);
        foreach (var file in files)
        {
            var turns = Enumerable.Range(0, Turns).Select(_ => (Whole: Time(() => Detector.Detect(backbone, head, file)),
                Read: Time(() => Detector.Look(backbone, head, file)))).ToList();
            (whole, read) = (whole + turns.Min(turn => turn.Whole), read + turns.Min(turn => turn.Read));
        }

        return $"{whole / files.Count:0.0} ms a prediction, {(whole - read) / files.Count:0.0} of them behind the backbone";

        static double Time(Action use)
        {
            var start = Stopwatch.GetTimestamp();
            use();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }
}
