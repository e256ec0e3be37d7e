using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Texts;

/// <summary>How a sentence network is used: the content of the optional file <c>name.json</c> beside <c>name.onnx</c>.</summary>
public sealed record SentenceReading
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The settings of most networks of sentence-transformers.</summary>
    public static SentenceReading Usual { get; } = new();

    /// <summary>Name of the output to use; null for the first.</summary>
    public string? Output { get; init; }

    /// <summary>How the vectors of the tokens are combined.</summary>
    public Pooling Pooling { get; init; } = Pooling.Mean;

    /// <summary>Prepended to each text, as in training: <c>"query: "</c> for E5.</summary>
    public string? Prefix { get; init; }

    /// <summary>Largest number of tokens that the network accepts, at least 3.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Name of the space shared with an image network, as in CLIP: the image network's manifest has the same name. Such a network
    /// reads the words of categories, not texts.</summary>
    public string? Space { get; init; }

    /// <summary>Factor that turns the cosine between image and words into a logit; learned by the pair.</summary>
    public double Scale { get; init; } = 100;

    /// <summary>SHA-256 of the network, lower-case hexadecimal; null if unknown. A network with another hash is refused.</summary>
    public string? Sha256 { get; init; }

    public string? Source { get; init; }

    /// <summary>SPDX name of the weights' licence.</summary>
    public string? Licence { get; init; }

    /// <summary>Distinguishes settings that give different vectors; empty for the usual ones.</summary>
    [JsonIgnore]
    public string Id => string.Join('\n', Output, Pooling is Pooling.Mean ? null : Pooling.ToString(), Prefix,
        MaxTokens?.ToString(CultureInfo.InvariantCulture)).Trim('\n');

    /// <exception cref="TextFeaturesException">It cannot be used; the message says why.</exception>
    public static SentenceReading Read(string path)
    {
        try
        {
            var reading = JsonSerializer.Deserialize<SentenceReading>(File.ReadAllBytes(path), Options);
            return reading is not { MaxTokens: null or >= 3 } ? throw Unusable("'maxTokens' must be at least 3")
                : reading.Space is { } space && string.IsNullOrWhiteSpace(space) ? throw Unusable("'space' must be a name")
                : reading.Scale is > 0 and <= 1_000 ? reading
                : throw Unusable("'scale' must be above 0 and at most 1000");
        }
        catch (JsonException exception)
        {
            throw new TextFeaturesException($"{Path.GetFileName(path)} is not valid JSON ({exception.Message})", exception);
        }

        TextFeaturesException Unusable(string why) => new($"{Path.GetFileName(path)} cannot be used: {why}.");
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Options);
}
