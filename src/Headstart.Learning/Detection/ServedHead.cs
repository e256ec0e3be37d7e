using System.Runtime.Intrinsics;
using static Headstart.Learning.Detection.PlaceVectors;

namespace Headstart.Learning.Detection;

/// <summary>
/// The head for predictions on processors with vectors of 512 bits, faster than ONNX Runtime: it works on a few rows at once, which stay in
/// the L1 cache, and computes the sides only where a score is high enough. May be used from many threads at once.
/// </summary>
internal sealed class ServedHead
{
    private const int Band = 64; // places at once, or one row
    private const int Lanes = ChannelConvolution.Lanes;

    private readonly HeadNetwork _network;
    private readonly ServedProduct[] _lateral;
    private readonly ServedBlock[] _merge;
    private readonly ServedBlock _shared, _classBranch, _boxBranch;
    private readonly ServedProduct _scores, _sides;

    /// <param name="network">Its width must be a multiple of <see cref="ChannelConvolution.Lanes"/>.</param>
    /// <param name="parameters"><c>[network.Length]</c></param>
    public ServedHead(HeadNetwork network, float[] parameters)
    {
        _network = network;
        _lateral = [.. network.Lateral.Select(layer => new ServedProduct(layer, parameters))];
        _merge = [.. network.Merge.Select(block => new ServedBlock(block, parameters))];
        // With one block in each branch, the sides of a place depend on no other place of that branch.
        _shared = new(network.SharedBlocks.Single(), parameters);
        (_classBranch, _boxBranch) = (new(network.ClassBranch.Single(), parameters), new(network.BoxBranch.Single(), parameters));
        (_scores, _sides) = (new(network.Scores, parameters), new(network.Sides, parameters));
    }

    private int Channels => _network.Width;

    /// <summary>Whether it is the faster one here.</summary>
    public static bool Serves(HeadNetwork network) => Vector512.IsHardwareAccelerated && network.Width % Lanes == 0;

    /// <inheritdoc cref="DetectionHead.Ask"/>
    public T Ask<T>(StageMaps maps, Func<ReadOnlySpan<float>, ReadOnlySpan<float>, T> use)
    {
        ChannelConvolution[] sizes = [.. maps.Values.Select(map => map.GetTensorTypeAndShape().Shape)
            .Select(shape => new ChannelConvolution((int)shape[2], (int)shape[3], Channels))];
        var places = sizes.Sum(size => size.Height * size.Width);
        var band = Math.Max(Band, sizes[0].Width);
        int[] lengths = [band * Channels, band * Channels, band * _scores.Columns, band * _sides.Columns, _network.Categories * places,
            4 * places];
        int[] padded = [.. sizes.Select(size => size.PaddedLength)];
        using var memory = new AlignedMemory([.. lengths, .. padded, .. padded]);
        var work = new Work(memory, places);
        var coarser = default(PaddedMap);
        for (var (level, first) = (sizes.Length - 1, places); level >= 0; level--)
        {
            var (size, at) = (sizes[level], lengths.Length + level);
            first -= size.Height * size.Width;
            PaddedMap one = new(size, memory[at]), other = new(size, memory[at + sizes.Length]);
            Project(maps.Map(level), level, one, coarser, work);
            Each(_merge[level], one, work, other, normalise: true);
            Each(_shared, other, work, one, normalise: false);
            Answer(one, work, first);
            coarser = other;
        }

        return use(work.Scores, work.Sides);
    }

    /// <summary>The lateral layer, plus the coarser map.</summary>
    private void Project(ReadOnlySpan<float> planes, int level, PaddedMap to, PaddedMap coarser, Work work)
    {
        foreach (var band in to.Size.Bands(Band))
        {
            var values = work.Mixed[..(band.Rows * to.Row)];
            _lateral[level].OfPlanes(planes, band.First * to.Size.Width, values);
            for (var i = 0; i < band.Rows; i++)
            {
                var row = values.Slice(i * to.Row, to.Row);
                if (coarser.Row > 0)
                {
                    AddTwice(coarser[(band.First + i) / 2], row, Channels);
                }

                row.CopyTo(to[band.First + i]);
            }
        }
    }

    private void Each(ServedBlock block, PaddedMap from, Work work, PaddedMap to, bool normalise)
    {
        foreach (var band in from.Size.Bands(Band))
        {
            var values = Apply(block, from, band, work);
            for (var i = 0; i < band.Rows; i++)
            {
                var row = values.Slice(i * to.Row, to.Row);
                if (normalise)
                {
                    Normalise(row, to[band.First + i], Channels, rectify: false);
                }
                else
                {
                    row.CopyTo(to[band.First + i]);
                }
            }
        }
    }

    /// <summary>Both branches.</summary>
    /// <param name="map">The map of one stride.</param>
    /// <param name="work">Receives scores and sides.</param>
    /// <param name="first">Index of the map's first place.</param>
    private void Answer(PaddedMap map, Work work, int first)
    {
        Span<int> found = stackalloc int[Band];
        var count = 0;
        foreach (var band in map.Size.Bands(Band))
        {
            var values = Apply(_classBranch, map, band, work);
            Normalise(values, values, Channels, rectify: true);
            var scores = _scores.Of(values, work.Logits);
            for (var i = 0; i < values.Length / Channels; i++)
            {
                var place = band.First * map.Size.Width + i;
                var shows = false;
                for (var category = 0; category < _network.Categories; category++)
                {
                    var score = scores[i * _scores.Columns + category];
                    work.Scores[category * work.Places + first + place] = score;
                    shows |= score >= TrainingDefaults.LeastLogit;
                }

                if (shows)
                {
                    found[count++] = place;
                }

                if (count == found.Length)
                {
                    Surround(map, found, work, first);
                    count = 0;
                }
            }
        }

        Surround(map, found[..count], work, first);
    }

    /// <summary>The box branch, for some places.</summary>
    private void Surround(PaddedMap map, ReadOnlySpan<int> found, Work work, int first)
    {
        Span<float> each = work.Each[..(found.Length * Channels)], mixed = work.Mixed[..(found.Length * Channels)];
        for (var i = 0; i < found.Length; i++)
        {
            var (y, x) = Math.DivRem(found[i], map.Size.Width);
            map.Size.RectifiedAt(map.Values, _boxBranch.Taps, _boxBranch.EachBias, each[(i * Channels)..], (x, y));
            Add(map[y][(x * Channels)..], _boxBranch.Mix.Bias, mixed.Slice(i * Channels, Channels));
        }

        _boxBranch.Mix.Add(each, mixed);
        Normalise(mixed, mixed, Channels, rectify: true);
        var sides = _sides.Of(mixed, work.Lengths);
        for (var i = 0; i < found.Length; i++)
        {
            for (var side = 0; side < 4; side++)
            {
                work.Sides[side * work.Places + first + found[i]] = sides[i * _sides.Columns + side];
            }
        }
    }

    /// <summary>A block on some rows.</summary>
    /// <returns><c>[rows, w, c]</c></returns>
    private static Span<float> Apply(ServedBlock block, PaddedMap map, (int First, int Rows) band, Work work)
    {
        Span<float> each = work.Each[..(band.Rows * map.Row)], mixed = work.Mixed[..(band.Rows * map.Row)];
        map.Size.Rectified(map.Values, block.Taps, block.EachBias, each, band);
        for (var i = 0; i < band.Rows; i++)
        {
            Add(map[band.First + i], block.Mix.Bias, mixed.Slice(i * map.Row, map.Row));
        }

        block.Mix.Add(each, mixed);
        return mixed;
    }

    /// <summary>Buffers, and the answer.</summary>
    private readonly ref struct Work(AlignedMemory memory, int places)
    {
        /// <summary>Some places after a layer of 5 x 5.</summary>
        public Span<float> Each { get; } = memory[0];

        /// <summary>Some places after a layer of 1 x 1.</summary>
        public Span<float> Mixed { get; } = memory[1];

        /// <summary>Scores of some places.</summary>
        public Span<float> Logits { get; } = memory[2];

        /// <summary>Sides of some places.</summary>
        public Span<float> Lengths { get; } = memory[3];

        /// <summary><c>[k, places]</c></summary>
        public Span<float> Scores { get; } = memory[4];

        /// <summary><c>[4, places]</c></summary>
        public Span<float> Sides { get; } = memory[5];

        public int Places => places;
    }
}
