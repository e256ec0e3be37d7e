using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Headstart.Data;
using Headstart.Fetching;

namespace Headstart.ImageSearches;

/// <summary>
/// Wikimedia Commons through MediaWiki's API (https://www.mediawiki.org/wiki/API:Search and API:Imageinfo), whose licences all allow
/// commercial use and changes. As it asks, requests are for pictures 800 pixels wide, with a contact (Headstart:Fetching:Contact).
/// </summary>
public sealed partial class WikimediaCommons(WebFetcher web, Settings settings) : IImageSource
{
    private const int PageSize = 50;
    private const int MaxBytes = 8 << 20;

    public string Name => "wikimedia";

    public async Task<SourcePage> SearchAsync(string words, Licences licences, string? page, CancellationToken cancel)
    {
        var answer = await web.FetchJsonAsync(new(
            $"{settings.ImageSearches.Wikimedia}?action=query&format=json&formatversion=2&generator=search&gsrnamespace=6"
            + $"&gsrsearch={Uri.EscapeDataString("filetype:bitmap " + words)}&gsrlimit={PageSize}&gsroffset={page ?? "0"}"
            + "&prop=imageinfo&iiprop=url%7Cmime%7Cextmetadata&iiurlwidth=800&iiextmetadatafilter=LicenseShortName%7CLicenseUrl%7CArtist"),
            MaxBytes, cancel);
        try
        {
            return answer.Bytes is null ? SourcePage.Failed("Wikimedia Commons", answer.Detail)
                : Read(JsonSerializer.Deserialize<Answer>(answer.Bytes, Web)!, licences);
        }
        catch (JsonException)
        {
            return SourcePage.Failed("Wikimedia Commons", "its answer does not match its documented JSON format.");
        }
    }

    private static SourcePage Read(Answer answer, Licences licences)
    {
        if (answer.Error is { } error)
        {
            return SourcePage.Failed("Wikimedia Commons", $"it answered \"{error.Info ?? error.Code}\".");
        }

        var found = (answer.Query?.Pages ?? []).OrderBy(p => p.Index).Where(p => p.Imageinfo is [{ Url: not null }, ..])
            .Select(p => Origin(p.Title ?? "", p.Imageinfo![0]));
        return new([.. found.Where(o => licences != Licences.PublicDomain || Free().IsMatch(o.Licence ?? ""))],
            answer.Continue?.Gsroffset?.ToString());
    }

    private static ImageOrigin Origin(string title, Info info) => new(
        info.Thumburl ?? info.Url!, info.Descriptionurl, title.StartsWith("File:", StringComparison.Ordinal) ? title[5..] : title,
        Text(info, "Artist"), Text(info, "LicenseShortName"), Text(info, "LicenseUrl"), "wikimedia");

    /// <summary>The metadata is HTML written by uploaders; only its text is kept.</summary>
    private static string? Text(Info info, string name) =>
        info.Extmetadata?.GetValueOrDefault(name)?.Value is { ValueKind: JsonValueKind.String } value
        && Blanks().Replace(WebUtility.HtmlDecode(Tag().Replace(value.GetString()!, " ")), " ").Trim() is { Length: > 0 } text
            ? RequestBodies.Readable(text)
            : null;

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();

    [GeneratedRegex("^(public domain|cc0|pdm)", RegexOptions.IgnoreCase)]
    private static partial Regex Free();

    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    private sealed record Answer(Continuation? Continue, Query? Query, Error? Error);

    private sealed record Continuation(int? Gsroffset);

    private sealed record Query(IReadOnlyList<Page>? Pages);

    private sealed record Page(string? Title, int Index, IReadOnlyList<Info>? Imageinfo);

    private sealed record Info(string? Url, string? Thumburl, string? Descriptionurl, Dictionary<string, Metadatum>? Extmetadata);

    private sealed record Metadatum(JsonElement Value);

    private sealed record Error(string? Code, string? Info);
}
