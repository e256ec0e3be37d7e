using Headstart.Learning.Imaging;
using NetVips;
using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Pretraining;

/// <summary>
/// Photographs as the student sees them, with the teacher's feature maps of them. No view is shown twice: in every epoch, teacher and
/// student look at another part of a photograph in other colours, so the student cannot memorise anything.
/// </summary>
public sealed class Lessons(PretrainingSettings settings, Photographs photographs, Teacher teacher)
{
    private const int LongestSide = 448;
    private const int Components = 512;
    private const int ForComponents = 1024; // photographs that the principal components are computed from
    private const double Contrast = 0.25; // largest relative change of a channel's contrast
    private const double Brightness = 0.3; // largest change, in standard deviations

    private readonly ParallelOptions _workers = new() { MaxDegreeOfParallelism = settings.Threads };

    public int Photographs => photographs.Count;

    public Teacher Teacher => teacher;

    /// <summary>Computes the principal components of the teacher's features on some photographs.</summary>
    /// <returns>The same photographs as the student sees them, <c>[n, 3, S, S]</c>.</returns>
    public Tensor Prepare(Progress progress)
    {
        var count = Math.Min(ForComponents, photographs.Count);
        progress.Start("Computing the principal components of the teacher's features", count);
        var (images, maps) = Batch([.. Enumerable.Range(0, count)], epoch: 0);
        progress.Add(count);
        teacher.Fit(maps, Math.Min(Components, teacher.Manifest.Features));
        return images;
    }

    /// <summary>The photographs with these numbers, in the views of one epoch.</summary>
    /// <returns>Images <c>[n, 3, S, S]</c>, float32, channels last in memory; and the teacher's feature maps.</returns>
    public (Tensor Images, float[][] Maps) Batch(IReadOnlyList<int> numbers, int epoch)
    {
        using var scope = NewDisposeScope();
        var images = new float[numbers.Count][];
        var maps = new float[numbers.Count][];
        var wanted = teacher.Manifest.Preprocessing;
        Parallel.For(0, numbers.Count, _workers, i =>
        {
            var random = new Random(unchecked((settings.Seed * 31 + epoch) * 1_000_003 + numbers[i]));
            using var photograph = ImageReader.Decode(photographs.Read(numbers[i]), LongestSide, Enums.Interesting.None, Enums.Size.Down);
            using var part = View.CutFrom(photograph, random);
            var colours = Disturbed(wanted, random);
            maps[i] = teacher.Extract(Input(part, colours));
            images[i] = Input(part, colours with { Size = settings.InputSize });
        });
        var batch = stack(images.Select(image => tensor(image))).view(numbers.Count, 3, settings.InputSize, settings.InputSize);
        return (batch.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).MoveToOuterDisposeScope(), maps);
    }

    private static float[] Input(Image part, Preprocessing preprocessing)
    {
        var input = new float[preprocessing.Length];
        CentreSquare.Normalise(View.Render(part, preprocessing.Size), preprocessing, input);
        return input;
    }

    /// <summary>Changes brightness, contrast and tint through mean and deviation: (x - m) / d * c + b = (x - (m - b * d / c)) / (d / c).
    /// </summary>
    private static Preprocessing Disturbed(Preprocessing p, Random random)
    {
        var brightness = Uniform(Brightness);
        float[] contrasts = [.. p.Std.Select(_ => 1 + Uniform(Contrast))];
        float[] std = [.. p.Std.Zip(contrasts, (d, c) => d / c)];
        return p with { Mean = [.. p.Mean.Zip(std, (m, d) => m - brightness * d)], Std = std };

        float Uniform(double most) => (float)((2 * random.NextDouble() - 1) * most);
    }
}
