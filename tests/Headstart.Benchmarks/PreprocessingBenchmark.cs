using System.Buffers;
using System.Diagnostics;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;
using SkiaSharp;

namespace Headstart.Benchmarks;

/// <summary>
/// What the second preprocessing costs and gives, against the first: milliseconds of one core for an image; how far the two decoders are
/// apart on every ordinary photograph; and the accuracy on the public sets of heads on the features of one backbone.
/// </summary>
internal static class PreprocessingBenchmark
{
    private const int Size = 224, Rounds = 5, RowsAtOnce = 16;
    private const string BackboneId = "mobilenetv2-1.0";

    private static readonly string[] Sets = ["hymenoptera", "flowers", "clothing", "sign_digits", "steel_defects"];

    public static async Task RunAsync(string shared)
    {
        var datasets = Path.Combine(shared, "datasets");
        Console.WriteLine("| set | raw libjpeg-turbo, ms | version 2, ms | version 2 by libvips, ms | version 1, ms |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        foreach (var set in Sets)
        {
            var files = Files(Path.Combine(datasets, set)).Take(150).Select(File.ReadAllBytes)
                .Where(file => JpegHeader.OfOrdinary(file) is not null).ToArray();
            var planes = new byte[3 * Size * Size];
            Console.WriteLine($"| {set} ({files.Length} JPEGs) | {Ms(files, Decode):0.00} | {Ms(files, file => Read(file, 2)):0.00} | "
                + $"{Ms(files, file => CentreSquare.ReadWithVips(file, Size, 2, planes)):0.00} | "
                + $"{Ms(files, file => Read(file, 1)):0.00} |");
        }

        Compare([.. Files(datasets)]);
        await LearnAsync(datasets, BackboneFolders.Find([Path.Combine(shared, "backbones")]).Found
            .Single(file => file.Manifest.Id == BackboneId));
    }

    private static void Read(byte[] file, int version) => CentreSquare.Of(file, Size, version).Dispose();

    private static void Compare(string[] files)
    {
        var (skia, vips) = (new byte[3 * Size * Size], new byte[3 * Size * Size]);
        var differences = new List<double>();
        foreach (var file in files.Select(File.ReadAllBytes))
        {
            if (JpegHeader.OfOrdinary(file) is { } header && OrdinaryJpeg.TryRead(file, header, Size, skia))
            {
                CentreSquare.ReadWithVips(file, Size, Preprocessing.Latest, vips);
                differences.Add(skia.Zip(vips, (one, other) => Math.Abs(one - other)).Average());
            }
        }

        Console.WriteLine($"Of {files.Length} files {differences.Count} are ordinary JPEGs. The two decoders differ by "
            + $"{differences.Average():0.0000} grey levels on average, by {differences.Max():0.000} on the worst.");
    }

    private static async Task LearnAsync(string datasets, BackboneFile file)
    {
        using var backbone = Backbone.Open(file, threads: 1);
        Console.WriteLine($"| set | {BackboneId}, version 1 | version 2 |");
        Console.WriteLine("| --- | --- | --- |");
        var means = new double[2];
        foreach (var set in Sets)
        {
            var folder = Path.Combine(datasets, set);
            var other = Path.Combine(folder, Directory.Exists(Path.Combine(folder, "test")) ? "test" : "val");
            var accuracies = new List<double>();
            foreach (var seen in (Backbone[])[backbone.Earlier, backbone])
            {
                var learned = await FeaturesAsync(seen, Path.Combine(folder, "train"));
                var judged = await FeaturesAsync(seen, other);
                var head = HeadTraining.Train(learned, new HeadMethod(HeadKind.Logistic, 0.03), CancellationToken.None);
                accuracies.Add(judged.Features.Zip(judged.Labels, (vector, label) => head.Best(vector) == label ? 1.0 : 0).Average());
            }

            means = [.. means.Zip(accuracies, (mean, accuracy) => mean + accuracy / Sets.Length)];
            Console.WriteLine($"| {set} | {accuracies[0]:0.000} | {accuracies[1]:0.000} |");
        }

        Console.WriteLine($"| mean | {means[0]:0.000} | {means[1]:0.000} |");
    }

    private static async Task<LabelledFeatures> FeaturesAsync(Backbone backbone, string folder)
    {
        string[] categories = [.. Directory.GetDirectories(folder).Order(StringComparer.Ordinal)];
        var images = categories.SelectMany((category, label) => Directory.GetFiles(category).Select(path => (Path: path, Label: label)))
            .ToArray();
        var recipe = FeatureRecipe.Of(backbone);
        var features = new float[images.Length][];
        await FeatureExtraction.ExtractAsync(backbone, images.Length, (i, cancel) => File.ReadAllBytesAsync(images[i].Path, cancel),
            (i, vector) => features[i] = recipe.Assemble([vector]),
            (i, refusal) => throw new InvalidOperationException($"{images[i].Path}: {refusal.Detail}"), CancellationToken.None);
        return new LabelledFeatures(features, [.. images.Select(image => image.Label)], categories);
    }

    /// <summary>Of processor time, the best of the rounds: others may use the machine.</summary>
    private static double Ms(byte[][] files, Action<byte[]> read)
    {
        var best = double.PositiveInfinity;
        for (var round = -1; round < Rounds; round++)
        {
            using var process = Process.GetCurrentProcess();
            var start = process.TotalProcessorTime;
            foreach (var file in files)
            {
                read(file);
            }

            process.Refresh();
            best = round < 0 ? best : Math.Min(best, (process.TotalProcessorTime - start).TotalMilliseconds / files.Length);
        }

        return best;
    }

    private static void Decode(byte[] file)
    {
        using var data = SKData.CreateCopy(file);
        using var codec = SKCodec.Create(data);
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        codec.StartScanlineDecode(info);
        var rows = ArrayPool<byte>.Shared.Rent(RowsAtOnce * info.RowBytes);
        unsafe
        {
            fixed (byte* start = rows)
            {
                for (var y = 0; y < info.Height; y += RowsAtOnce)
                {
                    codec.GetScanlines((nint)start, Math.Min(RowsAtOnce, info.Height - y), info.RowBytes);
                }
            }
        }

        ArrayPool<byte>.Shared.Return(rows);
    }

    private static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal);
}
