using System.Text;
using System.Text.Json;
using Microsoft.ML.Tokenizers;

namespace Headstart.Learning.Texts;

/// <summary>Model2Vec's tokenizer: BERT's word pieces without tokens at both ends; unknown ones are left out.</summary>
internal static class PlainWordPieces
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <param name="file"><c>tokenizer.json</c>.</param>
    /// <param name="vectors">Number of token vectors.</param>
    /// <returns>Converts a text to ids, at most as many as the second argument says; the id after the last if none is known.</returns>
    /// <exception cref="TextFeaturesException">The file is not valid.</exception>
    public static Func<string, int, long[]> Read(Stream file, int vectors)
    {
        var (pieces, unknown) = Read(file);
        if (pieces.Length != vectors)
        {
            throw new TextFeaturesException($"it has {vectors} token vectors, but its vocabulary has {pieces.Length} tokens");
        }

        using var lines = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', pieces)));
        var tokenizer = BertTokenizer.Create(lines, new BertOptions
        {
            LowerCaseBeforeTokenization = false,
            RemoveNonSpacingMarks = false,
            UnknownToken = unknown,
            ClassificationToken = unknown, // these four must be in the vocabulary, but are not used
            SeparatorToken = unknown,
            PaddingToken = unknown,
            MaskingToken = unknown,
        });
        var cased = SentenceTokens.IsCased(pieces);
        return (text, most) => [.. tokenizer.EncodeToIds(SentenceTokens.Spelled(text, cased), addSpecialTokens: false)
            .Where(id => id != tokenizer.UnknownTokenId).Take(most).Select(id => (long)id).DefaultIfEmpty(vectors)];
    }

    private static (string[] Pieces, string Unknown) Read(Stream file)
    {
        try
        {
            var model = JsonSerializer.Deserialize<Content>(file, Options)?.Model;
            if (model is not { Type: "WordPiece", Vocab: { } vocabulary })
            {
                throw new TextFeaturesException($"its tokenizer is {model?.Type ?? "not named"}; only WordPiece is supported");
            }

            var numbered = vocabulary.Deserialize<Dictionary<string, int>>()!.OrderBy(piece => piece.Value).ToList();
            return numbered.Index().All(piece => piece.Index == piece.Item.Value && piece.Item.Key.Length > 0
                && !piece.Item.Key.AsSpan().ContainsAny('\r', '\n'))
                ? ([.. numbered.Select(piece => piece.Key)], model.UnkToken ?? "[UNK]")
                : throw new TextFeaturesException("its tokens are not numbered from 0 upwards, or one is empty or has a line break");
        }
        catch (JsonException exception)
        {
            throw new TextFeaturesException($"its vocabulary is not valid JSON ({exception.Message.TrimEnd('.')})", exception);
        }
    }

    private sealed record Content(Model? Model);

    private sealed record Model(string? Type, string? UnkToken, JsonElement? Vocab);
}
