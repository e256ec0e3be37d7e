using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Headstart.Learning.Imaging;
using Headstart.Learning.Onnx;

namespace Headstart.Learning.Backbones;

/// <summary>The JSON form of a <see cref="BackboneManifest"/>: the file <c>name.json</c> beside <c>name.onnx</c>, and our
/// catalogue.</summary>
internal sealed partial record ManifestJson(
    string? Id, string? Family, int Features, int InputSize, float[]? Mean, float[]? Std, double? PublishedAccuracy,
    string? Source, string? Licence, string? Sha256, long Bytes, bool Classifier = false, double? MemoryPerImageMb = null,
    Uri? Address = null, bool Recommended = false, string? Output = null, Pooling Pooling = Pooling.None,
    ChannelOrder Channels = ChannelOrder.Rgb, string? QuantisedFrom = null, string? Space = null)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    /// <exception cref="BackboneException">The manifest is not usable; the message says what is wrong with it.</exception>
    public static BackboneManifest Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return (JsonSerializer.Deserialize<ManifestJson>(json, Options) ?? throw new BackboneException("it is empty")).ToManifest();
        }
        catch (JsonException exception)
        {
            throw new BackboneException($"it is not valid JSON ({exception.Message})", exception);
        }
    }

    public static byte[] Write(BackboneManifest manifest) => JsonSerializer.SerializeToUtf8Bytes(new ManifestJson(
        manifest.Id, manifest.Family, manifest.Features, manifest.Preprocessing.Size, [.. manifest.Preprocessing.Mean],
        [.. manifest.Preprocessing.Std], manifest.PublishedAccuracy, manifest.Source, manifest.Licence, manifest.Sha256, manifest.Bytes,
        manifest.Classifier, manifest.MemoryPerImageMb, Output: manifest.Reading.Output, Pooling: manifest.Reading.Pooling,
        Channels: manifest.Reading.Channels, QuantisedFrom: manifest.QuantisedFrom, Space: manifest.Space), Options);

    /// <exception cref="BackboneException">The list is not usable; the message says what is wrong with it.</exception>
    public static (int Version, IReadOnlyList<CatalogueEntry> Entries) ReadCatalogue(Stream stream)
    {
        try
        {
            var file = JsonSerializer.Deserialize<CatalogueFile>(stream, Options);
            return (file?.Version ?? 0, [.. (file?.Backbones ?? []).Select(entry => entry.ToEntry())]);
        }
        catch (JsonException exception)
        {
            throw new BackboneException($"it is not valid JSON ({exception.Message})", exception);
        }
    }

    private CatalogueEntry ToEntry()
    {
        Require(Bytes > 0, "'bytes' must be the length of the file");
        return new(ToManifest(), Address) { Recommended = Recommended };
    }

    /// <exception cref="BackboneException">A value is missing or invalid.</exception>
    public BackboneManifest ToManifest()
    {
        Require(BackboneManifest.IsId(Id), BackboneManifest.IdRule);
        Require(Features is > 0 and <= 65_536, "'features' must be between 1 and 65536");
        Require(InputSize is >= 8 and <= 4_096, "'inputSize' must be between 8 and 4096");
        Require(Mean is { Length: 3 } && Mean.All(float.IsFinite), "'mean' must be three numbers");
        Require(Std is { Length: 3 } && Std.All(std => float.IsFinite(std) && std > 0), "'std' must be three positive numbers");
        Require(Output is null or { Length: > 0 and <= 200 }, "'output' must be the name of one of the network's outputs");
        Require(Space is null || (!string.IsNullOrWhiteSpace(Space) && Space.Length <= 64),
            "'space' must be a name of at most 64 characters");
        Require(Sha256 is not null && ValidSha256().IsMatch(Sha256), "'sha256' must be 64 hexadecimal digits");
        Require(QuantisedFrom is null || ValidSha256().IsMatch(QuantisedFrom), "'quantisedFrom' must be 64 hexadecimal digits");
        Require(!string.IsNullOrWhiteSpace(Source) && !string.IsNullOrWhiteSpace(Licence), "'source' and 'licence' must be given");
        return new BackboneManifest
        {
            Id = Id!,
            Family = Family ?? "",
            Features = Features,
            Preprocessing = new Preprocessing(InputSize, Mean!, Std!),
            PublishedAccuracy = PublishedAccuracy,
            Source = Source!,
            Licence = Licence!,
            Sha256 = Sha256!.ToLowerInvariant(),
            Bytes = Bytes,
            Classifier = Classifier,
            Reading = new(Output, Pooling, Channels),
            MemoryPerImageMb = MemoryPerImageMb,
            QuantisedFrom = QuantisedFrom?.ToLowerInvariant(),
            Space = Space,
        };
    }

    private sealed record CatalogueFile(int Version, ManifestJson[]? Backbones);

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new BackboneException(otherwise);
        }
    }

    [GeneratedRegex("^[0-9a-fA-F]{64}$")]
    private static partial Regex ValidSha256();
}
