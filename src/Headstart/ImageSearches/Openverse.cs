using System.Text.Json;
using Headstart.Data;
using Headstart.Fetching;

namespace Headstart.ImageSearches;

/// <summary>
/// Openverse, a catalogue of openly licensed images from many collections: https://api.openverse.org/v1/#tag/images. Without an account,
/// pages have 20 entries and their number is limited; beyond that the answer is 429, which <see cref="WebFetcher"/> waits out if the wait
/// is short.
/// </summary>
public sealed class Openverse(WebFetcher web, Settings settings) : IImageSource
{
    private const int PageSize = 20;
    private const int MaxBytes = 4 << 20;

    public string Name => "openverse";

    public async Task<SourcePage> SearchAsync(string words, Licences licences, string? page, CancellationToken cancel)
    {
        var filter = licences switch
        {
            Licences.Commercial => "&license_type=commercial,modification",
            Licences.PublicDomain => "&license=cc0,pdm",
            _ => "",
        };
        var answer = await web.FetchJsonAsync(new($"{settings.ImageSearches.Openverse.TrimEnd('/')}/images/?q={Uri.EscapeDataString(words)}"
            + $"&page={page ?? "1"}&page_size={PageSize}&mature=false&filter_dead=true{filter}"), MaxBytes, cancel);
        try
        {
            return answer.Bytes is null ? SourcePage.Failed("Openverse", answer.Detail)
                : Read(JsonSerializer.Deserialize<Answer>(answer.Bytes, Json)!, int.Parse(page ?? "1"));
        }
        catch (JsonException)
        {
            return SourcePage.Failed("Openverse", "its answer does not match its documented JSON format.");
        }
    }

    private static SourcePage Read(Answer answer, int page) => new(
        [.. (answer.Results ?? []).Where(r => r.Url is not null)
        .Select(r => new ImageOrigin(r.Url!, r.ForeignLandingUrl, r.Title, r.Creator, Licence(r), r.LicenseUrl, "openverse"))],
        page < answer.PageCount ? $"{page + 1}" : null);

    /// <summary>The usual short name of the licence, such as CC BY-SA 4.0.</summary>
    private static string? Licence(Result result) => result.License switch
    {
        null => null,
        "pdm" => "Public Domain Mark",
        "cc0" => "CC0",
        var code => $"CC {code.ToUpperInvariant()} {result.LicenseVersion}".TrimEnd(),
    };

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private sealed record Answer(int PageCount, IReadOnlyList<Result>? Results);

    private sealed record Result(string? Url, string? ForeignLandingUrl, string? Title, string? Creator, string? License,
        string? LicenseVersion, string? LicenseUrl);
}
