using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Headstart.Fetching;
using Headstart.Uploads.Files;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Headstart.NanoNets;

/// <summary>
/// What a client sent, wherever it put it: the query, a multipart or urlencoded form, or JSON under any content type or none. Fields may
/// follow the files that they describe, so files are kept in temporary files until everything is read.
/// </summary>
internal sealed class NanoRequest
{
    private const int MaxFields = 10_000;
    private const int MaxFieldBytes = 4 << 20;

    private readonly Dictionary<string, List<string>> _fields = new(StringComparer.OrdinalIgnoreCase);
    private List<IFormFile> _files = [];

    /// <summary>The names of the images: first the files, then the URLs.</summary>
    public IReadOnlyList<string> Images => [.. _files.Select(file => RequestBodies.Readable(file.FileName)), .. Urls];

    public IReadOnlyList<string> Urls => All("urls");

    /// <exception cref="BadHttpRequestException">The body cannot be read.</exception>
    public static async Task<NanoRequest> ReadAsync(HttpRequest http, Settings settings, CancellationToken cancel)
    {
        var request = new NanoRequest();
        foreach (var (name, values) in http.Query)
        {
            request.Add(name, values);
        }

        if (RequestBodies.Boundary(http) is null)
        {
            request.AddText(await new StreamReader(http.Body, Encoding.UTF8).ReadToEndAsync(cancel)); // limited by Kestrel
            return request;
        }

        http.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = settings.NanoNets.MaxRequestBytes;
        var form = await ReadFormAsync(http, settings.NanoNets.MaxRequestBytes, cancel);
        foreach (var (name, values) in form)
        {
            request.Add(name, values);
        }

        request._files = [.. form.Files.Where(file => file.Name.ToUpperInvariant() is "FILE" or "FILES")];
        return request;
    }

    /// <summary>All values of a field. A value that is a JSON or printed Python list counts as its elements.</summary>
    public IReadOnlyList<string> All(string name) =>
        [.. _fields.GetValueOrDefault(name, []).SelectMany(value => ListText.Read(value) ?? [value]).Where(value => value.Length > 0)];

    /// <summary>The first value of a field as sent; null if there is none.</summary>
    public string? First(string name) => _fields.GetValueOrDefault(name, []).Find(value => value.Length > 0);

    /// <summary>The different values of a field as sent.</summary>
    public IReadOnlyList<string> Named(string name) => [.. _fields.GetValueOrDefault(name, []).Where(value => value.Length > 0).Distinct()];

    /// <summary>Every model id in the request; a client that names the model twice must name the same one.</summary>
    public IEnumerable<string> ModelIds => All("modelId").Concat(All("model_id")).Concat(All("id"));

    /// <summary>The images, in the same order; memory holds one file, or the few URLs that are fetched at once.</summary>
    public async IAsyncEnumerable<UploadedFile> ReadImagesAsync(WebFetcher web, int maxBytes,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var file in _files)
        {
            var name = RequestBodies.Readable(file.FileName);
            if (file.Length > maxBytes)
            {
                yield return new(name, FileContent.Of(null, maxBytes));
                continue;
            }

            var bytes = new byte[file.Length];
            await using var stream = file.OpenReadStream();
            await stream.ReadExactlyAsync(bytes, cancel);
            yield return new(name, new FileContent.Here(bytes));
        }

        await foreach (var file in web.FetchAllAsync(Urls, maxBytes, cancel))
        {
            yield return UploadedFile.Of(file);
        }
    }

    private static async Task<IFormCollection> ReadFormAsync(HttpRequest http, long most, CancellationToken cancel)
    {
        try
        {
            return await http.ReadFormAsync(new FormOptions
            {
                ValueCountLimit = MaxFields,
                ValueLengthLimit = MaxFieldBytes,
                MultipartBodyLengthLimit = most,
                MultipartBoundaryLengthLimit = 200,
            }, cancel);
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw new BadHttpRequestException($"The multipart body is malformed ({e.Message.TrimEnd('.')}). Nothing was kept; send it "
                + "again.", e);
        }
    }

    private void AddText(string body)
    {
        if (body.AsSpan().TrimStart() is ['{', ..])
        {
            AddJson(body);
            return;
        }

        foreach (var (name, values) in QueryHelpers.ParseQuery(body))
        {
            Add(name, values);
        }
    }

    private void AddJson(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            foreach (var property in json.RootElement.EnumerateObject())
            {
                Add(property.Name, [property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()
                    : property.Value.GetRawText()]);
            }
        }
        catch (JsonException e)
        {
            throw new BadHttpRequestException("The body looks like JSON but is not valid.", e);
        }
    }

    private void Add(string name, IEnumerable<string?> values)
    {
        if (!_fields.TryGetValue(name, out var all))
        {
            _fields.Add(name, all = []);
        }

        all.AddRange(values.Select(value => value ?? ""));
    }
}
