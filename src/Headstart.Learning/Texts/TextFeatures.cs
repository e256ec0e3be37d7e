using System.Diagnostics;
using Headstart.Learning.Heads;

namespace Headstart.Learning.Texts;

/// <summary>Turns texts into feature vectors, as backbones do for images. Learned from the texts of a model or found in a folder; immutable
/// and thread-safe afterwards.</summary>
public abstract class TextFeatures : IDisposable
{
    private const int Rounds = 3;
    private const int DenseLength = 1_024; // up to here dense vectors are smaller or faster

    /// <summary>Names the kind and, if there is one, the registered file: <c>tfidf</c>, <c>skipgram-sif</c>,
    /// <c>glove-100d-10k+tfidf</c>.</summary>
    public abstract string Id { get; }

    /// <summary>d, the length of a vector.</summary>
    public abstract int Length { get; }

    /// <summary>Whether static token vectors take part.</summary>
    internal virtual bool IsStatic => false;

    /// <summary>Milliseconds for one text on this host; 0 until <see cref="Measure"/> was called.</summary>
    public double MsPerText { get; private set; }

    /// <summary>The features of a text: of length 1, or all 0 if nothing in it is known. Each joined part has length 1.</summary>
    /// <returns><c>[d]</c></returns>
    public float[] Of(string text)
    {
        return Row(text).Whole(Length);
    }

    /// <summary>The features of many texts, on all cores. Pass the list on unchanged: if most values are 0, it stores only the
    /// others.</summary>
    /// <returns><c>[n][d]</c></returns>
    public IReadOnlyList<float[]> Of(IReadOnlyList<string> texts, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var rows = new (int[] Columns, float[] Values)[texts.Count];
        AllCores.For(texts.Count, i => rows[i] = Row(texts[i]).Entries(), cancel);
        var sparse = new SparseRows(Length, rows);
        return Length <= DenseLength ? [.. sparse] : sparse;
    }

    /// <summary>Measures the time per text, the median of a few rounds.</summary>
    /// <param name="texts">Typical texts; if empty, nothing is measured.</param>
    public void Measure(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Count == 0)
        {
            return;
        }

        var times = new double[Rounds];
        for (var round = 0; round < Rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            foreach (var text in texts)
            {
                Of(text);
            }

            times[round] = Stopwatch.GetElapsedTime(started).TotalMilliseconds / texts.Count;
        }

        MsPerText = times.Order().ElementAt(Rounds / 2);
    }

    /// <summary>Writes the form that <see cref="Load"/> reads: the same features always give the same bytes.</summary>
    public void Save(Stream stream) => TextFeaturesFile.Write(this, stream);

    /// <summary>Reads features written by <see cref="Save(Stream)"/>.</summary>
    /// <param name="stream">The file, to its end.</param>
    /// <param name="registered">Text backbones found in folders, which stored features refer to by SHA-256.</param>
    /// <exception cref="TextFeaturesException">The bytes are not features or are damaged, or a registered file is missing; the message says
    /// which.</exception>
    public static TextFeatures Load(Stream stream, IReadOnlyList<RegisteredText> registered) => TextFeaturesFile.Read(stream, registered);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <param name="text">The text.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="row">Receives the vector.</param>
    internal abstract void Write(string text, IReadOnlyList<Token> tokens, FeatureRow row);

    /// <summary>Writes the fields of this kind of features.</summary>
    internal abstract void Save(BinaryWriter writer);

    private FeatureRow Row(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var row = new FeatureRow();
        Write(text, Tokens.Of(text), row);
        return row;
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Text features that cannot be used; the message is a sentence that says why.</summary>
public sealed class TextFeaturesException(string message, Exception? inner = null) : Exception(message, inner);
