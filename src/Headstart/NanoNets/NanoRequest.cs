using System.Runtime.CompilerServices;
using System.Text.Json;
using Headstart.Fetching;
using Headstart.Uploads.Files;
using Microsoft.AspNetCore.WebUtilities;

namespace Headstart.NanoNets;

/// <summary>A file of a form.</summary>
/// <param name="At">Where it begins in the temporary file of the request.</param>
/// <param name="Length">Its length in bytes; null if it is too large, so that it was not kept.</param>
internal sealed record KeptFile(string Name, long At, int? Length);

/// <summary>
/// What a client sent, wherever it put it: the query, a multipart or urlencoded form, or JSON under any content type or none.
/// <see cref="NanoRequests"/> reads it.
/// </summary>
/// <param name="kept">The bytes of the files; null if there are none.</param>
internal sealed class NanoRequest(Stream? kept)
{
    private readonly Dictionary<string, List<string>> _fields = new(StringComparer.OrdinalIgnoreCase);

    public List<KeptFile> Files { get; } = [];

    /// <summary>The names of the images: first the files, then the URLs.</summary>
    public IReadOnlyList<string> Images => [.. Files.Select(file => file.Name), .. Urls];

    public IReadOnlyList<string> Urls => All("urls");

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
        foreach (var (name, at, length) in Files)
        {
            if (length is not { } size)
            {
                yield return new(name, FileContent.Of(null, maxBytes));
                continue;
            }

            var bytes = new byte[size];
            kept!.Position = at;
            await kept.ReadExactlyAsync(bytes, cancel);
            yield return new(name, new FileContent.Here(bytes));
        }

        await foreach (var file in web.FetchAllAsync(Urls, maxBytes, cancel))
        {
            yield return UploadedFile.Of(file);
        }
    }

    /// <summary>Adds the fields of JSON or of an urlencoded form.</summary>
    public void AddText(string body)
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

    public void Add(string name, IEnumerable<string?> values)
    {
        if (!_fields.TryGetValue(name, out var all))
        {
            _fields.Add(name, all = []);
        }

        all.AddRange(values.Select(value => value ?? ""));
    }
}
