using Headstart.Learning.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Headstart.Learning.Texts;

/// <summary>
/// Word vectors learned from a model's own texts: skip-gram with negative sampling (Mikolov et al. 2013), a word being itself and the mean of its
/// pieces (Bojanowski et al. 2017). Differences: noise words are shared by a whole lesson, which makes one product of matrices of thousands of small
/// ones, and each row of a table has a step length of its own that shrinks as the row learns (Duchi, Hazan and Singer 2011, a number a row), so that
/// a few texts and many need no different settings. Gradients are written out: there are two.
/// As in <see cref="Heads.RowSpace"/> no tensor meets a plain number.
/// </summary>
internal sealed class SkipGram : IDisposable
{
    public const int Dimensions = 100;

    private const int Noise = 256; // words a lesson
    private const int NoiseShare = 5; // that a pair meets, on average
    private const double Step = 0.1;
    private const float FirstStep = 1e-6f; // a sum of squares that is next to nothing
    private const long Work = 3_000_000; // centre words altogether; what a short corpus is repeated for
    private const int MaxPasses = 40;

    private readonly Vocabulary _words;
    private readonly int[][] _rows; // of each word those of its table rows: the word's own and its pieces'
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Scalar _one = 1.ToScalar(); // kept alive for as long as libtorch reads it
    private readonly Tensor _inputs; // [words + buckets, d]
    private readonly Tensor _outputs; // [words, d]
    private readonly Tensor _inputSteps; // [words + buckets, 1], sums of squares so far
    private readonly Tensor _outputSteps; // [words, 1]
    private readonly Tensor _step; // [1]
    private readonly int _dimensions;

    private SkipGram(Vocabulary words, WordVectors? start, int seed)
    {
        _words = words;
        _dimensions = start?.Dimensions ?? Dimensions;
        _rows = [.. words.Words.Select((word, i) => (int[])[i, .. WordPieces.Of(word).Select(piece => words.Words.Count + piece)])];
        _inputs = tensor(Start(start, new Random(seed)), [words.Words.Count + WordPieces.Buckets, _dimensions]);
        _outputs = zeros(words.Words.Count, _dimensions);
        _step = tensor([(float)Step]);
        _inputSteps = tensor(Enumerable.Repeat(FirstStep, words.Words.Count + WordPieces.Buckets).ToArray(), [words.Words.Count + WordPieces.Buckets, 1]);
        _outputSteps = tensor(Enumerable.Repeat(FirstStep, words.Words.Count).ToArray(), [words.Words.Count, 1]);
    }

    /// <summary>Synchronous; the same words and seed give the same vectors bit for bit on the same machine.</summary>
    /// <param name="words">At least one.</param>
    /// <param name="start">Vectors to start from; null for random ones.</param>
    /// <param name="seed">Decides all that is left to chance.</param>
    /// <param name="progress">Receives the share done, 0..1.</param>
    /// <param name="cancel">Looked at in every lesson.</param>
    public static WordVectors Train(Vocabulary words, WordVectors? start, int seed, Action<double>? progress, CancellationToken cancel)
    {
        TorchRuntime.EnsureLoaded();
        using var skipGram = new SkipGram(words, start, seed);
        var lessons = new SkipGramLessons(words, seed);
        var size = words.Texts.Sum(text => (long)text.Length);
        var passes = (int)Math.Clamp(Work / Math.Max(1, size), 1, MaxPasses);
        for (var pass = 0; pass < passes; pass++)
        {
            foreach (var lesson in lessons.Pass(Noise))
            {
                cancel.ThrowIfCancellationRequested();
                skipGram.Learn(lesson);
            }

            progress?.Invoke((pass + 1.0) / passes);
        }

        return skipGram.Vectors();
    }

    public void Dispose()
    {
        _scope.Dispose();
        _one.Dispose();
    }

    private void Learn(SkipGramLessons.Lesson lesson)
    {
        using var scope = NewDisposeScope();
        var (parts, shares, bags) = Bags(lesson.Centres);
        var (rows, places) = Distinct(parts);
        var (outs, outPlaces) = Distinct([.. lesson.Contexts, .. lesson.Noise]);
        var (bag, place) = (Numbers(bags), Numbers(places));
        var share = tensor(shares, [shares.Length, 1]);
        var row = Numbers(rows);
        var outRow = Numbers(outs);
        var pair = Numbers(lesson.Pairs);
        var contextPlace = Numbers(outPlaces[..lesson.Contexts.Count]);
        var noisePlace = Numbers(outPlaces[lesson.Contexts.Count..]);

        // What each centre word is: [c, d].
        var own = _inputs.index_select(0, row);
        var centres = zeros(lesson.Centres.Count, _dimensions).index_add_(0, bag, own.index_select(0, place) * share, _one);
        var outputs = _outputs.index_select(0, outRow);
        var contexts = outputs.index_select(0, contextPlace);
        var noises = outputs.index_select(0, noisePlace);

        // A pair should be near, 1 - sigmoid; a noise word far, - sigmoid, as often as the centre has pairs.
        var paired = centres.index_select(0, pair);
        var near = (paired * contexts).sum(1, keepdim: true).neg().sigmoid();
        var far = centres.mm(noises.t()).sigmoid().neg() * tensor(PairsOf(lesson), [lesson.Centres.Count, 1]);

        var centreSlope = zeros_like(centres).index_add_(0, pair, near * contexts, _one) + far.mm(noises);
        var ownSlope = zeros_like(own).index_add_(0, place, centreSlope.index_select(0, bag) * share, _one);
        var outSlope = zeros_like(outputs).index_add_(0, contextPlace, near * paired, _one).index_add_(0, noisePlace, far.t().mm(centres), _one);
        Climb(_inputs, _inputSteps, row, ownSlope);
        Climb(_outputs, _outputSteps, outRow, outSlope);
    }

    private void Climb(Tensor table, Tensor steps, Tensor rows, Tensor slope)
    {
        var squares = (slope * slope).mean([1], keepdim: true);
        steps.index_add_(0, rows, squares, _one);
        table.index_add_(0, rows, slope * steps.index_select(0, rows).rsqrt() * _step, _one);
    }

    /// <summary>The rows of a lesson's centre words, the share of each, and the place of the word it belongs to.</summary>
    private (int[] Rows, float[] Shares, int[] Bags) Bags(IReadOnlyList<int> centres)
    {
        var (rows, shares, bags) = (new List<int>(), new List<float>(), new List<int>());
        foreach (var (i, word) in centres.Index())
        {
            foreach (var (part, row) in _rows[word].Index())
            {
                rows.Add(row);
                shares.Add(part == 0 ? 1 : 1f / (_rows[word].Length - 1));
                bags.Add(i);
            }
        }

        return ([.. rows], [.. shares], [.. bags]);
    }

    /// <summary>Each number once, and where each of the given ones is among them: a row is changed once a lesson, however often it is met.</summary>
    private static (int[] Rows, int[] Places) Distinct(int[] numbers)
    {
        var (rows, known, places) = (new List<int>(), new Dictionary<int, int>(), new int[numbers.Length]);
        for (var i = 0; i < numbers.Length; i++)
        {
            if (!known.TryGetValue(numbers[i], out places[i]))
            {
                known.Add(numbers[i], places[i] = rows.Count);
                rows.Add(numbers[i]);
            }
        }

        return ([.. rows], places);
    }

    private static float[] PairsOf(SkipGramLessons.Lesson lesson)
    {
        var pairs = new float[lesson.Centres.Count];
        foreach (var centre in lesson.Pairs)
        {
            pairs[centre] += (float)NoiseShare / Noise;
        }

        return pairs;
    }

    private WordVectors Vectors()
    {
        float[] inputs = [.. _inputs.data<float>()];
        var count = _words.Words.Count;
        float[] pieces = WordVectors.Rounded(inputs.Skip(count * _dimensions));
        var vectors = new float[count * _dimensions];
        for (var word = 0; word < count; word++)
        {
            foreach (var (part, row) in _rows[word].Index())
            {
                var share = part == 0 ? 1 : 1f / (_rows[word].Length - 1);
                for (var i = 0; i < _dimensions; i++)
                {
                    vectors[word * _dimensions + i] += share * inputs[row * _dimensions + i];
                }
            }
        }

        return new WordVectors([.. _words.Words], WordVectors.Rounded(vectors), pieces, _dimensions);
    }

    /// <summary>Words that have a vector start with it; others, and all pieces, with next to nothing.</summary>
    private float[] Start(WordVectors? start, Random random)
    {
        var values = new float[(_words.Words.Count + WordPieces.Buckets) * _dimensions];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (random.NextSingle() - 0.5f) / _dimensions;
        }

        foreach (var (i, word) in _words.Words.Index())
        {
            start?.Known(word).TryCopyTo(values.AsSpan(i * _dimensions));
        }

        return values;
    }

    private static Tensor Numbers(IEnumerable<int> numbers) => tensor(numbers.Select(number => (long)number).ToArray());
}
