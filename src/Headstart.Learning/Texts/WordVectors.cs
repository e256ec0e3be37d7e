using System.Numerics.Tensors;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>A vector for each of many words; other words get one from their pieces, if pieces have vectors. Immutable.</summary>
internal sealed class WordVectors
{
    private readonly string[] _words;
    private readonly Dictionary<string, int> _places;
    private readonly float[] _vectors; // [words, d]
    private readonly float[] _pieces; // [NGramBuckets, d], or none

    /// <param name="words">The words in folded form, without duplicates.</param>
    /// <param name="vectors"><c>[words, d]</c></param>
    /// <param name="pieces"><c>[NGramBuckets, d]</c>, or empty.</param>
    /// <param name="dimensions">d</param>
    public WordVectors(string[] words, float[] vectors, float[] pieces, int dimensions)
    {
        if (vectors.Length != words.Length * dimensions || (pieces.Length != 0 && pieces.Length != NGramBuckets * dimensions))
        {
            throw new ArgumentException(
                $"{words.Length} words, {vectors.Length} and {pieces.Length} values do not make vectors of {dimensions}.");
        }

        (_words, _vectors, _pieces, Dimensions) = (words, vectors, pieces, dimensions);
        _places = new(words.Length, StringComparer.Ordinal);
        for (var i = 0; i < words.Length; i++)
        {
            _places.Add(words[i], i);
        }
    }

    /// <summary>d</summary>
    public int Dimensions { get; }

    public static WordVectors Read(BinaryReader reader)
    {
        var (dimensions, count) = (reader.ReadInt32(), reader.ReadInt32());
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)dimensions, 10_000u);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)MaxWords);
        var words = new string[count];
        for (var i = 0; i < count; i++)
        {
            words[i] = reader.ReadString();
        }

        return new(words, Halves(count * dimensions), Halves(NGramBuckets * dimensions), dimensions);

        float[] Halves(int values)
        {
            var read = new float[values];
            for (var i = 0; i < values; i++)
            {
                read[i] = (float)reader.ReadHalf();
            }

            return read;
        }
    }

    /// <summary>Values are stored as 16-bit floats, to which they are already rounded: see <see cref="Rounded"/>.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(Dimensions);
        writer.Write(_words.Length);
        foreach (var word in _words)
        {
            writer.Write(word);
        }

        foreach (var value in _vectors.Concat(_pieces))
        {
            writer.Write((Half)value);
        }
    }

    /// <summary>Rounds to 16-bit floats: three digits are plenty and halve the file.</summary>
    public static float[] Rounded(IEnumerable<float> values) => [.. values.Select(value => (float)(Half)value)];

    /// <summary>The vector of a word in the table; empty for others.</summary>
    public ReadOnlySpan<float> Known(string word) => _places.TryGetValue(word, out var place)
        ? _vectors.AsSpan(place * Dimensions, Dimensions) : default;

    /// <summary>Adds a weighted word vector to a sum.</summary>
    /// <param name="word">The word in folded form.</param>
    /// <param name="weight">Factor.</param>
    /// <param name="sum">Receives the sum, <c>[d]</c>.</param>
    /// <returns>Whether the word has a vector.</returns>
    public bool AddTo(Span<float> sum, string word, float weight)
    {
        var known = Known(word);
        if (known.Length > 0)
        {
            TensorPrimitives.MultiplyAdd(known, weight, sum, sum);
            return true;
        }

        var pieces = _pieces.Length > 0 ? CharacterNGrams.Of(word) : [];
        foreach (var piece in pieces)
        {
            TensorPrimitives.MultiplyAdd(_pieces.AsSpan(piece * Dimensions, Dimensions), weight / pieces.Count, sum, sum);
        }

        return pieces.Count > 0;
    }
}
