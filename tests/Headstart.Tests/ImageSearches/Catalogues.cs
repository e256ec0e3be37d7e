using System.Text.Json.Nodes;
using Headstart.Tests.Fetching;
using Microsoft.AspNetCore.Http;

namespace Headstart.Tests.ImageSearches;

/// <summary>
/// Openverse and Wikimedia Commons on loopback, as their documentation says they answer: pages, licence filters, errors and limits. What
/// they know is laid down by the words that find it.
/// </summary>
public sealed class Catalogues : IAsyncDisposable
{
    private readonly Dictionary<string, List<Entry>> _openverse = [], _wikimedia = [];
    private int _images;

    public Catalogues()
    {
        Web.Lay("/openverse/v1/images/", OpenverseAsync);
        Web.Lay("/w/api.php", WikimediaAsync);
    }

    public WebPages Web { get; } = new();

    /// <summary>How often Openverse says that it was asked too often, before it answers again.</summary>
    public int Throttled { get; set; }

    public bool WikimediaIsDown { get; set; }

    /// <summary>Seconds that Openverse wants to be left alone for.</summary>
    public string RetryAfter { get; set; } = "0";

    public IEnumerable<(string Name, string Value)> Settings =>
        [("Headstart:ImageSearches:Openverse", Web.Address + "/openverse/v1"),
            ("Headstart:ImageSearches:Wikimedia", Web.Address + "/w/api.php"),
        ("Headstart:Fetching:Contact", "ops@example.org")];

    public void Openverse(string words, params IEnumerable<byte[]> images) => Lay(_openverse, words, images, "by-sa");

    public void Wikimedia(string words, params IEnumerable<byte[]> images) => Lay(_wikimedia, words, images, "CC BY 4.0");

    /// <summary>An entry whose file is something else, or not there.</summary>
    public void OpenverseAddress(string words, string url) => Of(_openverse, words).Add(new(++_images, url, "by"));

    public ValueTask DisposeAsync() => Web.DisposeAsync();

    private void Lay(Dictionary<string, List<Entry>> where, string words, IEnumerable<byte[]> images, string licence) =>
        Of(where, words).AddRange(images.Select(image => new Entry(++_images, Web.Lay($"/files/{_images}.jpg", image), licence)));

    private static List<Entry> Of(Dictionary<string, List<Entry>> where, string words) =>
        where.TryGetValue(words, out var list) ? list : where[words] = [];

    private async Task OpenverseAsync(HttpContext http)
    {
        var query = http.Request.Query;
        var (page, size) = (int.Parse(query["page"].ToString()), int.Parse(query["page_size"].ToString()));
        if (Throttled > 0)
        {
            Throttled--;
            (http.Response.StatusCode, http.Response.Headers.RetryAfter) = (429, RetryAfter);
            await http.Response.WriteAsJsonAsync(new { detail = "Request was throttled. Expected available in 1 second." });
            return;
        }

        if (size > 20)
        {
            http.Response.StatusCode = 401; // who is not signed in gets no more
            await http.Response.WriteAsJsonAsync(new { detail = "page_size must be between 1 & 20 for anonymous requests." });
            return;
        }

        var all = Of(_openverse, query["q"].ToString());
        await http.Response.WriteAsJsonAsync(new JsonObject
        {
            ["result_count"] = all.Count,
            ["page_count"] = (all.Count + size - 1) / size,
            ["page_size"] = size,
            ["page"] = page,
            ["results"] = new JsonArray([.. all.Skip((page - 1) * size).Take(size).Select(entry => new JsonObject
            {
                ["id"] = Guid.CreateVersion7().ToString(),
                ["title"] = $"Photograph {entry.Number}",
                ["foreign_landing_url"] = $"https://photos.example/{entry.Number}",
                ["url"] = entry.Url,
                ["creator"] = $"Ada {entry.Number}",
                ["license"] = entry.Licence,
                ["license_version"] = "2.0",
                ["license_url"] = "https://creativecommons.org/licenses/by-sa/2.0/",
                ["filesize"] = null,
                ["mature"] = false,
                ["unstable__sensitivity"] = new JsonArray(),
            })]),
        });
    }

    private async Task WikimediaAsync(HttpContext http)
    {
        if (WikimediaIsDown)
        {
            // MediaWiki says so with 200.
            await http.Response.WriteAsJsonAsync(new
            {
                error = new { code = "readonly", info = "The wiki is currently in read-only mode." },
                servedby = "mw1"
            });
            return;
        }

        var query = http.Request.Query;
        var (offset, limit) = (int.Parse(query["gsroffset"].ToString()), int.Parse(query["gsrlimit"].ToString()));
        var all = Of(_wikimedia, query["gsrsearch"].ToString().Replace("filetype:bitmap ", ""));
        var answer = new JsonObject { ["batchcomplete"] = true };
        if (offset + limit < all.Count)
        {
            answer["continue"] = new JsonObject { ["gsroffset"] = offset + limit, ["continue"] = "gsroffset||" };
        }

        if (all.Count > offset) // without results there is no query
        {
            // In no order; index has that.
            answer["query"] = new JsonObject
            {
                ["pages"] = new JsonArray(
                [.. all.Skip(offset).Take(limit).Index().Reverse().Select(e => Page(e.Item, e.Index + 1))])
            };
        }

        await http.Response.WriteAsJsonAsync(answer);
    }

    private static JsonObject Page(Entry entry, int index) => new()
    {
        ["pageid"] = 1000 + entry.Number,
        ["ns"] = 6,
        ["title"] = $"File:Picture {entry.Number}.jpg",
        ["index"] = index,
        ["imagerepository"] = "local",
        ["imageinfo"] = new JsonArray(new JsonObject
        {
            ["thumburl"] = entry.Url,
            ["thumbwidth"] = 800,
            ["url"] = "https://upload.wikimedia.example/original.jpg",
            ["descriptionurl"] = $"https://commons.wikimedia.example/wiki/File:Picture_{entry.Number}.jpg",
            ["mime"] = "image/jpeg",
            ["extmetadata"] = new JsonObject
            {
                ["LicenseShortName"] = new JsonObject { ["value"] = entry.Licence, ["source"] = "commons-desc-page", ["hidden"] = "" },
                ["LicenseUrl"] = new JsonObject { ["value"] = "https://creativecommons.org/licenses/by/4.0" },
                ["Artist"] = new JsonObject { ["value"] = $"<a href=\"//x\" onclick=\"steal()\"><b>Grace &amp; Co</b></a> {entry.Number}" },
            },
        }),
    };

    private sealed record Entry(int Number, string Url, string Licence);
}
