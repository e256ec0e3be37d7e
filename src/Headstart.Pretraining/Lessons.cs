using Headstart.Learning.Imaging;
using NetVips;
using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Pretraining;

/// <summary>Every view of every photograph, with what the teachers say of each place of it. View v of photograph i is row v * photographs + i.</summary>
/// <param name="Images"><c>[views * photographs, 112, 112, 3]</c>, uint8.</param>
/// <param name="Answers"><c>[views * photographs, 7, 7, components of all teachers]</c>, float16.</param>
public sealed record Lessons(Tensor Images, Tensor Answers, int Photographs) : IDisposable
{
    /// <summary>Side of a view in pixels; the student divides it by 16.</summary>
    public const int Size = 112;

    /// <summary>Side of the grid of places that teachers and student are compared on.</summary>
    public const int Places = Size / 16;

    private const int ComponentsOfEach = 384;
    private const int ForComponents = 1024; // photographs that the principal components come from
    private const int Chunk = 64;
    private const int LongestSide = 448;

    public int Views => (int)(Images.shape[0] / Photographs);

    /// <summary>Asks the teachers, or reads what they said before.</summary>
    public static Lessons Prepare(PretrainingSettings settings, Photographs photographs, IReadOnlyList<Teacher> teachers, Progress progress)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(photographs);
        ArgumentNullException.ThrowIfNull(teachers);
        ArgumentNullException.ThrowIfNull(progress);
        var images = Path.Combine(settings.Output, "views.bin");
        var answers = Path.Combine(settings.Output, "answers.bin");
        if (File.Exists(answers)) // written last
        {
            return new Lessons(Tensor.load(images), Tensor.load(answers), photographs.Count);
        }

        FitComponents(settings, photographs, teachers, progress);
        var lessons = Ask(settings, photographs, teachers, progress);
        lessons.Images.save(images);
        lessons.Answers.save(answers + ".part");
        File.Move(answers + ".part", answers);
        return lessons;
    }

    /// <summary>A batch as the student reads it: <c>[n, 3, height, width]</c>, normalised, float32, channels last in memory.</summary>
    public Tensor Batch(Tensor rows)
    {
        using var scope = NewDisposeScope();
        var pixels = Images.index_select(0, rows).to(float32);
        return ((pixels / 255 - StudentPreprocessing.MeanTensor()) / StudentPreprocessing.StdTensor()).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Images.Dispose();
        Answers.Dispose();
    }

    private static void FitComponents(PretrainingSettings settings, Photographs photographs, IReadOnlyList<Teacher> teachers, Progress progress)
    {
        var count = Math.Min(ForComponents, photographs.Count);
        progress.Start("Looking for what the teachers' features have in common", count);
        var maps = teachers.Select(_ => new float[count][]).ToArray();
        Parallel.For(0, count, Workers(settings), i =>
        {
            using var photograph = Decode(photographs.Read(i));
            using var part = new View(i, Number: 1, settings.Seed).CutFrom(photograph);
            for (var t = 0; t < teachers.Count; t++)
            {
                maps[t][i] = teachers[t].Look(View.Render(part, teachers[t].Size));
            }

            progress.Add(1);
        });
        for (var t = 0; t < teachers.Count; t++)
        {
            teachers[t].Fit(maps[t], ComponentsOfEach);
            progress.Say($"{ComponentsOfEach} components keep {teachers[t].Kept:P0} of the variance of {teachers[t].Manifest.Id}");
        }
    }

    private static Lessons Ask(PretrainingSettings settings, Photographs photographs, IReadOnlyList<Teacher> teachers, Progress progress)
    {
        var total = (long)settings.Views * photographs.Count;
        var images = zeros([total, Size, Size, 3], ScalarType.Byte);
        var answers = zeros([total, Places, Places, ComponentsOfEach * teachers.Count], float16);
        progress.Start("Asking the teachers", total);
        for (var view = 0; view < settings.Views; view++)
        {
            for (var first = 0; first < photographs.Count; first += Chunk)
            {
                using var scope = NewDisposeScope();
                var count = Math.Min(Chunk, photographs.Count - first);
                var pixels = new byte[count][];
                var maps = teachers.Select(_ => new float[count][]).ToArray();
                Parallel.For(0, count, Workers(settings), i =>
                {
                    using var photograph = Decode(photographs.Read(first + i));
                    using var part = new View(first + i, view, settings.Seed).CutFrom(photograph);
                    pixels[i] = View.Render(part, Size);
                    for (var t = 0; t < teachers.Count; t++)
                    {
                        maps[t][i] = teachers[t].Look(View.Render(part, teachers[t].Size));
                    }
                });
                var row = (long)view * photographs.Count + first;
                images.narrow(0, row, count).copy_(stack(pixels.Select(p => tensor(p))).view(count, Size, Size, 3));
                answers.narrow(0, row, count).copy_(cat([.. teachers.Select((teacher, t) => teacher.Components(maps[t]))], dim: 3));
                progress.Add(count);
            }
        }

        return new Lessons(images, answers, photographs.Count);
    }

    private static Image Decode(byte[] bytes) => ImageReader.Decode(bytes, LongestSide, Enums.Interesting.None, Enums.Size.Down);

    private static ParallelOptions Workers(PretrainingSettings settings) => new() { MaxDegreeOfParallelism = settings.Threads };
}
