using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Texts;

/// <summary>How a sentence network is used: the content of the file <c>name.json</c> beside <c>name.onnx</c>, where there is one.</summary>
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

    /// <summary>As sentence-transformers publishes most.</summary>
    public static SentenceReading Usual { get; } = new();

    /// <summary>Which output is used; the first without it.</summary>
    public string? Output { get; init; }

    /// <summary>What becomes of the vectors of the tokens.</summary>
    public Pooling Pooling { get; init; } = Pooling.Mean;

    /// <summary>Stands before each text, as in training: <c>"query: "</c> for E5.</summary>
    public string? Prefix { get; init; }

    /// <summary>The most tokens of a text that the network takes, at least 3.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>
    /// Names the space that this network and an image network were trained to share, as CLIP's two halves do: the image network's
    /// manifest has the same name. Such a network reads the words of categories, and no texts.
    /// </summary>
    public string? Space { get; init; }

    /// <summary>By what the cosines of images and words are multiplied to become logits; the pair learned it.</summary>
    public double Scale { get; init; } = 100;

    /// <summary>Of the network, lower-case hexadecimal; null where it is not known. One that has another is not used.</summary>
    public string? Sha256 { get; init; }

    public string? Source { get; init; }

    /// <summary>SPDX name of the weights' licence.</summary>
    public string? Licence { get; init; }

    /// <summary>Tells readings that give other numbers apart; empty for the usual one.</summary>
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
