using System.Diagnostics;
using Headstart.Learning.Imaging;

namespace Headstart.Benchmarks;

/// <summary>Time to scale a photograph to the square compared with decoding it, on one thread. The two alternate, so that other load
/// affects both.</summary>
internal static class Scaling
{
    private const int Rounds = 7;
    private const int Size = 224;
    private const int Bands = 4; // as in OrdinaryJpeg

    public static int Run(string shared)
    {
        foreach (var set in (string[])["hymenoptera", "cats_dogs"])
        {
            var files = Directory.GetFiles(Path.Combine(shared, "datasets", set), "*.jp*g", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal).Where((_, i) => i % 4 == 0).Take(100).Select(File.ReadAllBytes)
                .Where(file => JpegHeader.OfOrdinary(file) is not null).ToArray();
            var (whole, scale) = (new double[Rounds], new double[Rounds]);
            for (var round = -1; round < Rounds; round++)
            {
                var (both, alone) = (Milliseconds(files, Decode), Milliseconds(files, ScaleAlone));
                if (round >= 0)
                {
                    (whole[round], scale[round]) = (both, alone);
                }
            }

            var (all, scaling) = (whole.Order().ElementAt(Rounds / 2), scale.Order().ElementAt(Rounds / 2));
            Console.WriteLine($"{set}, {files.Length} photographs of {Megapixels(files):0.00} megapixels: {all:0.00} ms to decode and "
                + $"scale one, {scaling:0.00} ms to scale it, {scaling / (all - scaling):0.00} of decoding (medians of {Rounds} rounds)");
        }

        return 0;
    }

    private static void Decode(byte[] file) => CentreSquare.Of(file, Size).Dispose();

    private static void ScaleAlone(byte[] file)
    {
        var header = JpegHeader.OfOrdinary(file)!;
        var target = new ScaleTarget(Size, IsWhole: false);
        var halves = target.Halves(header.Width, header.Height);
        var (width, height) = ((header.Width + halves - 1) / halves, (header.Height + halves - 1) / halves);
        var (row, planes) = (new byte[Bands * width], new byte[3 * Size * Size]);
        using var scaler = new PictureScaler(target.Plan(header.Width, header.Height, header.Orientation, (width, height, halves)), Bands);
        for (var y = 0; y < height; y++)
        {
            scaler.Add(row, planes);
        }
    }

    private static double Milliseconds(byte[][] files, Action<byte[]> work)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var file in files)
        {
            work(file);
        }

        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / files.Length;
    }

    private static double Megapixels(byte[][] files) =>
        files.Select(file => JpegHeader.OfOrdinary(file)!).Average(header => header.Width * (double)header.Height) / 1e6;
}
