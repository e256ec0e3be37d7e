using Headstart.Learning.Native;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Tokenizers;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Texts;

/// <summary>
/// A network of BERT's kind with a WordPiece vocabulary, as sentence-transformers publishes them: token ids in, a vector for each token
/// out, of which the mean is the sentence (Reimers and Gurevych 2019). Networks that give one vector for the whole sentence are taken at
/// their word. Thread-safe.
/// </summary>
internal sealed class SentenceEncoder : IDisposable
{
    private static readonly string[] Known = ["input_ids", "attention_mask", "token_type_ids"];

    private readonly SessionOptions _options;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly BertTokenizer _tokenizer;
    private readonly bool _cased;

    private SentenceEncoder(SessionOptions options, InferenceSession session, BertTokenizer tokenizer, bool cased)
    {
        (_options, _session, _tokenizer, _cased) = (options, session, tokenizer, cased);
        Length = Encode("a").Length;
    }

    /// <summary>d, the length of a vector.</summary>
    public int Length { get; }

    /// <param name="network">The ONNX file.</param>
    /// <param name="vocabulary">WordPiece's: a token a line.</param>
    /// <exception cref="TextFeaturesException">One of them cannot be used; the message says why.</exception>
    public static SentenceEncoder Open(string network, string vocabulary)
    {
        OnnxRuntime.EnsureLoaded();
        var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        InferenceSession? session = null;
        try
        {
            session = new InferenceSession(network, options);
            if (session.InputNames.FirstOrDefault(name => !Known.Contains(name)) is { } other)
            {
                throw new TextFeaturesException($"it has an unsupported input '{other}'; supported are {string.Join(", ", Known)}");
            }

            // A vocabulary without capitals belongs to a network that was never shown any, nor accents.
            var cased = File.ReadLines(vocabulary).Any(token => !token.StartsWith('[') && token.Any(char.IsUpper));
            var tokenizer = BertTokenizer.Create(vocabulary,
                new BertOptions { LowerCaseBeforeTokenization = false, RemoveNonSpacingMarks = false });
            return new(options, session, tokenizer, cased);
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or TextFeaturesException or IOException or ArgumentException
            or InvalidOperationException)
        {
            session?.Dispose();
            options.Dispose();
            throw new TextFeaturesException($"{Path.GetFileName(network)} cannot be used: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <returns><c>[d]</c></returns>
    public float[] Encode(string text)
    {
        var cut = text.Length > Tokens.MaxLength ? text[..Tokens.MaxLength] : text;
        // The tokenizer's own lower case and accents need ICU, which we do without.
        var ids = _tokenizer.EncodeToIds(_cased ? cut : UnicodeText.WithoutAccents(UnicodeText.Folded(cut)), MaxSentenceTokens,
            addSpecialTokens: true, out _, out _)
            .Select(id => (long)id).ToArray();
        using var tokens = OrtValue.CreateTensorValueFromMemory(ids, [1, ids.Length]);
        using var mask = OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, ids.Length).ToArray(), [1, ids.Length]);
        using var types = OrtValue.CreateTensorValueFromMemory(new long[ids.Length], [1, ids.Length]);
        OrtValue[] inputs = [.. _session.InputNames.Select(name => name == Known[0] ? tokens : name == Known[1] ? mask : types)];
        using var outputs = _session.Run(_run, _session.InputNames, inputs, [_session.OutputNames[0]]);
        return Mean(outputs[0].GetTensorDataAsSpan<float>(), outputs[0].GetTensorTypeAndShape().Shape);
    }

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
        _options.Dispose();
    }

    /// <summary>Every token counts: a text is alone in its batch, so that none is padding and the mask is all ones.</summary>
    private static float[] Mean(ReadOnlySpan<float> values, long[] shape)
    {
        if (shape is not ([1, _] or [1, _, _]))
        {
            throw new TextFeaturesException($"its output has shape [{string.Join(", ", shape)}]; one vector per token or per sentence is "
                + "required");
        }

        var mean = new float[shape[^1]];
        var rows = values.Length / mean.Length;
        for (var i = 0; i < values.Length; i++)
        {
            mean[i % mean.Length] += values[i] / rows;
        }

        return mean;
    }
}
