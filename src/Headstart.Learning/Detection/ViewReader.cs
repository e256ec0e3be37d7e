using Headstart.Learning.Imaging;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Detection;

/// <summary>An example as a head learns from it and answers it.</summary>
/// <param name="Plain">What a detector sees.</param>
/// <param name="Drawn">What a head learns from.</param>
/// <param name="Frame">Of the plain view.</param>
internal sealed record ReadExample(DetectionView Plain, IReadOnlyList<DetectionView> Drawn, PictureFrame Frame);

/// <summary>Has a backbone read examples at a resolution, plainly and in drawn views.</summary>
internal sealed class ViewReader(DetectorBackbone backbone, int resolution, int cores, Action<CancellationToken>? giveWay,
    CancellationToken cancel)
{
    private readonly ViewMaker _maker = new(backbone, resolution);

    /// <summary>What is kept of each map; known once something was read.</summary>
    public IReadOnlyList<MapProjection> Projections { get; private set; } = [];

    /// <summary>Channels that are kept of each map.</summary>
    public IReadOnlyList<int> Kept => [.. Projections.Select(projection => projection.Outputs)];

    /// <param name="examples">The examples.</param>
    /// <param name="group">Of an example: only pictures of one group are mixed.</param>
    /// <param name="views">Drawn ones of an example.</param>
    /// <param name="seed">Decides what is drawn.</param>
    /// <param name="report">Receives the share done.</param>
    /// <returns>null for files that cannot be read.</returns>
    public ReadExample?[] Read(IReadOnlyList<DetectionExample> examples, Func<int, int> group, int views, int seed, Action<double> report)
    {
        var read = new ReadExample?[examples.Count];
        var random = new Random(seed);
        int[] order = [.. Enumerable.Range(0, examples.Count)];
        random.Shuffle(order);
        var done = 0;
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
            }

            Each(block.Length, n =>
            {
                read[block[n]] = decoded[n] is { } own && Projections.Count > 0
                    ? Read(examples[block[n]], own, others, (views, new Random(unchecked(seed * 31 + block[n])))) : null;
                report(Interlocked.Increment(ref done) / (double)examples.Count);
            });
        }

        return read;
    }

    private ReadExample Read(DetectionExample example, DecodedExample decoded, DecodedExample[] others, (int Count, Random Random) drawn)
    {
        var plain = DecodedExample.Of(example, resolution);
        return new(_maker.Read(_maker.Plain(plain), Projections), [.. Enumerable.Range(0, drawn.Count)
            .Select(_ => _maker.Read(_maker.Drawn(decoded, others, drawn.Random), Projections))], plain.Frame);
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

    private void Each(int count, Action<int> work) => Parallel.For(0, count,
        new ParallelOptions { MaxDegreeOfParallelism = cores, CancellationToken = cancel }, n =>
        {
            giveWay?.Invoke(cancel);
            work(n);
        });
}
