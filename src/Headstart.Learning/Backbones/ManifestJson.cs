using System.Text.Json;
using System.Text.RegularExpressions;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Backbones;

/// <summary>The JSON form of a <see cref="BackboneManifest"/>: the file <c>name.json</c> beside <c>name.onnx</c>, and our catalogue.</summary>
internal sealed partial record ManifestJson(
    string? Id, string? Family, int Features, int InputSize, float[]? Mean, float[]? Std, double? PublishedAccuracy,
    string? Source, string? Licence, string? Sha256, long Bytes, bool Classifier = false, Uri? Address = null)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
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

    /// <summary>Our own list; a mistake in it is a bug.</summary>
    public static (int Version, IReadOnlyList<CatalogueEntry> Entries) ReadCatalogue()
    {
        using var stream = typeof(ManifestJson).Assembly.GetManifestResourceStream("Headstart.Learning.Backbones.catalogue.json")!;
        var file = JsonSerializer.Deserialize<CatalogueFile>(stream, Options)!;
        return (file.Version, [.. file.Backbones.Select(entry => new CatalogueEntry(entry.ToManifest(), entry.Address))]);
    }

    private BackboneManifest ToManifest()
    {
        Require(Id is not null && ValidId().IsMatch(Id),
            "'id' must be 1 to 64 lower-case letters, digits, dots, hyphens or underscores, starting with a letter or digit");
        Require(Features is > 0 and <= 65_536, "'features' must be between 1 and 65536");
        Require(InputSize is >= 8 and <= 4_096, "'inputSize' must be between 8 and 4096");
        Require(Mean is { Length: 3 } && Mean.All(float.IsFinite), "'mean' must be three numbers");
        Require(Std is { Length: 3 } && Std.All(std => float.IsFinite(std) && std > 0), "'std' must be three positive numbers");
        Require(Sha256 is not null && ValidSha256().IsMatch(Sha256), "'sha256' must be 64 hexadecimal digits");
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
        };
    }

    private sealed record CatalogueFile(int Version, ManifestJson[] Backbones);

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new BackboneException(otherwise);
        }
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,63}$")]
    private static partial Regex ValidId();

    [GeneratedRegex("^[0-9a-fA-F]{64}$")]
    private static partial Regex ValidSha256();
}
