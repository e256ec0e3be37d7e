using System.Numerics.Tensors;
using Headstart.Learning.Native;
using TorchSharp;
using static Headstart.Learning.TrainingDefaults;
using static TorchSharp.torch;

namespace Headstart.Learning.Texts;

/// <summary>
/// Word vectors learned from a model's own texts: skip-gram with negative sampling (Mikolov et al. 2013), where a word is its own vector
/// plus the mean of its pieces (Bojanowski et al. 2017). All pairs of a lesson share its noise words, which turns thousands of small
/// products into one matrix product. Gradients are written out. As in <see cref="Heads.RowSpace"/>, never pass a C# number to a tensor
/// operation.
/// </summary>
internal sealed class SkipGram
{

    private readonly Vocabulary _words;
    private readonly int[][] _rows; // the table rows of each word: its own and its pieces'
    private readonly VectorTable _inputs; // [words + buckets, d]
    private readonly VectorTable _outputs; // [words, d]
    private readonly int _dimensions;

    private SkipGram(Vocabulary words, WordVectors? start, int seed)
    {
        _words = words;
        _dimensions = start?.Dimensions ?? VectorDimensions;
        _rows = [.. words.Words.Select((word, i) => (int[])[i, .. CharacterNGrams.Of(word).Select(piece => words.Words.Count + piece)])];
        _inputs = new(Start(start, new Random(seed)), _dimensions);
        _outputs = new(new float[words.Words.Count * _dimensions], _dimensions);
    }

    /// <summary>Trains the vectors. Synchronous; the same words and seed give bit-identical vectors on the same machine.</summary>
    /// <param name="words">At least one.</param>
    /// <param name="start">Vectors to start from; null for random ones.</param>
    /// <param name="seed">Decides everything random.</param>
    /// <param name="progress">Receives the share done, 0..1.</param>
    /// <param name="cancel">Checked in every lesson.</param>
    public static WordVectors Train(Vocabulary words, WordVectors? start, int seed, Action<double>? progress, CancellationToken cancel)
    {
        TorchRuntime.EnsureLoaded();
        var skipGram = new SkipGram(words, start, seed);
        var lessons = new SkipGramLessons(words, seed);
        var size = words.Texts.Sum(text => (long)text.Length);
        var passes = (int)Math.Clamp(VectorWork / Math.Max(1, size), 1, VectorPasses);
        for (var pass = 0; pass < passes; pass++)
        {
            foreach (var lesson in lessons.Pass(NoiseWords))
            {
                cancel.ThrowIfCancellationRequested();
                skipGram.Learn(lesson);
            }

            progress?.Invoke((pass + 1.0) / passes);
        }

        return skipGram.Vectors();
    }

    private void Learn(SkipGramLessons.Lesson lesson)
    {
        var centres = new float[lesson.Centres.Count * _dimensions];
        for (var i = 0; i < lesson.Centres.Count; i++)
        {
            AddWord(lesson.Centres[i], centres.AsSpan(i * _dimensions, _dimensions));
        }

        var slopes = MeetNoise(lesson, centres);
        for (var i = 0; i < lesson.Pairs.Count; i++)
        {
            var own = centres.AsSpan(lesson.Pairs[i] * _dimensions, _dimensions);
            var slope = slopes.AsSpan(lesson.Pairs[i] * _dimensions, _dimensions);
            var context = _outputs.Row(lesson.Contexts[i]);
            // The score of a true pair should rise: the gradient is 1 - sigmoid.
            var near = 1 / (1 + MathF.Exp(TensorPrimitives.Dot(own, context)));
            TensorPrimitives.MultiplyAdd(context, near, slope, slope);
            _outputs.Push(lesson.Contexts[i], own, near);
        }

        for (var i = 0; i < lesson.Centres.Count; i++)
        {
            PushWord(lesson.Centres[i], slopes.AsSpan(i * _dimensions, _dimensions));
        }

        _inputs.Climb();
        _outputs.Climb();
    }

    /// <summary>The score of a noise word should fall: the gradient is minus the sigmoid, weighted by the number of the centre's
    /// pairs.</summary>
    /// <returns>Gradients of the centres, <c>[c, d]</c>.</returns>
    private float[] MeetNoise(SkipGramLessons.Lesson lesson, float[] centres)
    {
        var noise = new float[lesson.Noise.Length * _dimensions];
        for (var i = 0; i < lesson.Noise.Length; i++)
        {
            _outputs.Row(lesson.Noise[i]).CopyTo(noise.AsSpan(i * _dimensions));
        }

        var pairs = new float[lesson.Centres.Count];
        foreach (var centre in lesson.Pairs)
        {
            pairs[centre] += NoiseShare / NoiseWords;
        }

        using var scope = NewDisposeScope();
        var (c, n) = (tensor(centres, [pairs.Length, _dimensions]), tensor(noise, [lesson.Noise.Length, _dimensions]));
        var far = c.mm(n.t()).sigmoid().neg() * tensor(pairs, [pairs.Length, 1]);
        float[] slopes = [.. far.t().mm(c).data<float>()];
        for (var i = 0; i < lesson.Noise.Length; i++)
        {
            _outputs.Push(lesson.Noise[i], slopes.AsSpan(i * _dimensions, _dimensions), 1);
        }

        return [.. far.mm(n).data<float>()];
    }

    private void AddWord(int word, Span<float> sum)
    {
        foreach (var (part, row) in _rows[word].Index())
        {
            TensorPrimitives.MultiplyAdd(_inputs.Row(row), Share(word, part), sum, sum);
        }
    }

    private void PushWord(int word, ReadOnlySpan<float> slope)
    {
        foreach (var (part, row) in _rows[word].Index())
        {
            _inputs.Push(row, slope, Share(word, part));
        }
    }

    /// <summary>Weights of a word's rows: its own row, and the mean of its pieces.</summary>
    private float Share(int word, int part) => part == 0 ? 1 : 1f / (_rows[word].Length - 1);

    private WordVectors Vectors()
    {
        var vectors = new float[_words.Words.Count * _dimensions];
        for (var word = 0; word < _words.Words.Count; word++)
        {
            AddWord(word, vectors.AsSpan(word * _dimensions, _dimensions));
        }

        var pieces = new float[NGramBuckets * _dimensions];
        for (var piece = 0; piece < NGramBuckets; piece++)
        {
            _inputs.Row(_words.Words.Count + piece).CopyTo(pieces.AsSpan(piece * _dimensions));
        }

        return new WordVectors([.. _words.Words], WordVectors.Rounded(vectors), WordVectors.Rounded(pieces), _dimensions);
    }

    /// <summary>Initial values: known words start with their vectors; others, and all pieces, with small random values.</summary>
    private float[] Start(WordVectors? start, Random random)
    {
        var values = new float[(_words.Words.Count + NGramBuckets) * _dimensions];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (random.NextSingle() - 0.5f) / _dimensions;
        }

        foreach (var (i, word) in _words.Words.Index())
        {
            start?.Known(word).CopyTo(values.AsSpan(i * _dimensions));
        }

        return values;
    }
}
