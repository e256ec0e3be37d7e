using System.Diagnostics;
using Headstart.Learning.Imaging;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>Reads examples with a backbone at one resolution, plainly and as augmented views.</summary>
internal sealed class ViewReader(DetectorBackbone backbone, int resolution, Action<CancellationToken>? giveWay, CancellationToken cancel)
{
    private readonly ViewMaker _maker = new(backbone, resolution);

    /// <summary>The projection of each map; set by the first <see cref="Draw"/>.</summary>
    public IReadOnlyList<MapProjection> Projections { get; private set; } = [];

    /// <summary>Channels of each projected map.</summary>
    public IReadOnlyList<int> Kept => [.. Projections.Select(projection => projection.Outputs)];

    /// <summary>Views to learn from, with at most <see cref="MostPlaces"/> in total: if there are too many images for one view each, some
    /// have none.</summary>
    /// <param name="examples">The examples.</param>
    /// <param name="group">Group of an example, by index; a mosaic mixes only images of one group.</param>
    /// <param name="most">Maximum number of views of an example.</param>
    /// <param name="seed">Seed of the augmentation.</param>
    /// <param name="report">Receives progress, 0..1.</param>
    /// <param name="limit">Time after which each further image gets one view only; null: no limit.</param>
    /// <returns>The views of each example; null for files that cannot be read.</returns>
    public IReadOnlyList<DetectionView>?[] Draw(IReadOnlyList<DetectionExample> examples, Func<int, int> group, int most, int seed,
        Action<double> report, TimeSpan? limit = null)
    {
        var (start, longest) = (Stopwatch.GetTimestamp(), limit ?? TimeSpan.MaxValue);
        var read = new IReadOnlyList<DetectionView>?[examples.Count];
        var random = new Random(seed);
        int[] order = [.. Enumerable.Range(0, examples.Count)];
        random.Shuffle(order);
        var rank = new int[order.Length];
        order.Index().ToList().ForEach(place => rank[place.Item] = place.Index);
        var (done, room) = (0, 0);
        foreach (var block in order.GroupBy(group).OrderBy(same => same.Key).SelectMany(same => same.Chunk(DecodedAtOnce)))
        {
            var decoded = new DecodedExample?[block.Length];
            Each(block.Length, n => decoded[n] = TryDecode(examples[block[n]], _maker.DecodedSize));
            DecodedExample[] others = [.. decoded.OfType<DecodedExample>()];
            if (Projections.Count == 0 && others.Length > 0)
            {
                double[] aspects = [.. others.Select(other => Math.Min(other.Frame.Aspect, 1 / other.Frame.Aspect)).Order()];
                _maker.Aspect = aspects[aspects.Length / 2];
                Project(examples, block, random);
                room = MostPlaces / _maker.PlacesOfView;
            }

            Each(block.Length, n =>
            {
                var (i, drawn) = (block[n], new Random(unchecked(seed * 31 + block[n])));
                var views = rank[i] < room ? Math.Clamp(room / examples.Count, 1, most) : 0;
                read[i] = decoded[n] is not { } own || Projections.Count == 0 ? null
                    : [.. Enumerable.Range(0, views).TakeWhile(view => view == 0 || Stopwatch.GetElapsedTime(start) < longest).Select(_ =>
                        _maker.Read(_maker.Drawn(own, others, drawn), Projections))];
                report(Interlocked.Increment(ref done) / (double)examples.Count);
            });
        }

        return read;
    }

    /// <summary>Maximum number of views of an image; more if there are few images.</summary>
    public static int MostOf(int images, double effort) =>
        Math.Max(FewestViews, (int)(effort * Math.Max(MostViewsOfImage, EnoughViews / Math.Max(1, images))));

    /// <summary>What a head finds in examples as a detector sees them; null for files that cannot be read.</summary>
    /// <param name="examples">The examples.</param>
    /// <param name="trainer">The head's trainer.</param>
    /// <param name="parameters">The head.</param>
    public RawAnswer?[] Ask(IReadOnlyList<DetectionExample> examples, HeadTrainer trainer, float[] parameters)
    {
        var said = new RawAnswer?[examples.Count];
        Each(said.Length, n => said[n] = TryDecode(examples[n], resolution) is { } decoded
            ? new(trainer.Find(parameters, _maker.Read(_maker.Plain(decoded), Projections)), decoded.Frame) : null);
        return said;
    }

    private void Project(IReadOnlyList<DetectionExample> examples, int[] block, Random random)
    {
        var canvases = new Canvas?[Math.Min(block.Length, ImagesForProjection)];
        Each(canvases.Length, n =>
        {
            canvases[n] = TryDecode(examples[block[n]], resolution) is { } example ? _maker.Plain(example) : null;
        });
        Canvas[] sample = [.. canvases.OfType<Canvas>()];
        Projections = sample.Length > 0 ? _maker.Project(sample, random) : [];
    }

    private static DecodedExample? TryDecode(DetectionExample example, int size)
    {
        try
        {
            return DecodedExample.Of(example, size);
        }
        catch (ImageRefusedException)
        {
            return null;
        }
    }

    private void Each(int count, Action<int> work) => AllCores.For(count, n =>
    {
        giveWay?.Invoke(cancel);
        work(n);
    }, cancel);
}
