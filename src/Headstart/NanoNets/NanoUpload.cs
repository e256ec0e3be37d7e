using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Json;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Images;
using Headstart.Models;
using Headstart.Operations;

namespace Headstart.NanoNets;

/// <summary>Files and URLs with their categories into a model, by the same <see cref="ImageUpload"/> as everybody's.</summary>
internal sealed class NanoUpload(HeadstartDb db, ImageUpload upload, WebFetcher web, Settings settings)
{
    /// <summary>Where an image comes from, and its categories; null where the request says nothing of them.</summary>
    private sealed record Source(string Name, IFormFile? File, string Url, IReadOnlyList<string>? Categories);

    /// <param name="caller">Owns the model.</param>
    /// <param name="model">With its categories.</param>
    /// <param name="request">Has the files.</param>
    /// <param name="cancel">Ends the reading; what was taken until then is kept.</param>
    public async Task<IResult> AddAsync(ClaimsPrincipal caller, Model model, NanoRequest request, CancellationToken cancel)
    {
        if (Sources(model, request, out var sources) is { } error)
        {
            return error;
        }

        var answer = await upload.AddAsync(model, ReadAsync(sources, cancel), confirmed: false, cancel);
        var refused = answer.Rejected.ToLookup(file => file.FileName);
        if (answer.Accepted.Count == 0)
        {
            return NanoAnswer.Error(StatusCodes.Status400BadRequest,
                [.. answer.Rejected.Take(100).Select(file => new NanoReason(NanoAnswer.Words(file.Reason), $"{file.FileName}: {file.Detail}"))]);
        }

        var whole = answer.Rejected.Count == 0;
        var now = await NanoState.ReadAsync(db, caller, model.Id, cancel);
        return NanoAnswer.Of(now with
        {
            Message = whole ? "Success" : $"Partially successful: {answer.Rejected.Count} of {sources.Count} could not be used",
            Result = [.. sources.Select(source => new NanoFile(refused[source.Name].FirstOrDefault()?.Detail ?? "Success", source.Name))],
        }, whole ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    private IResult? Sources(Model model, NanoRequest request, out List<Source> sources)
    {
        var urls = request.All("urls");
        sources =
        [
            .. request.Files.Select(file => new Source(UploadReader.Readable(file.FileName), file, "", null)),
            .. urls.Select(url => new Source(UploadReader.Readable(url), null, url, null)),
        ];
        if (sources.Count == 0)
        {
            return NanoAnswer.Bad("File missing", "There is no image in the request: files go into parts named file or files, addresses into fields named urls.");
        }

        if (sources.Count > settings.Uploads.MaxFiles)
        {
            return NanoAnswer.Error(StatusCodes.Status413PayloadTooLarge, "Too many files", $"One request may have {settings.Uploads.MaxFiles} images; send the others in another one.");
        }

        var error = model.Kind.TakesSeveral() ? Annotate(sources, request, urls.Count) : Categorize(sources, request);
        var unknown = sources.SelectMany(source => source.Categories ?? []).Distinct()
            .FirstOrDefault(category => !model.Categories.Exists(c => c.Name == category.Trim()));
        return error ?? (unknown is null ? null : NanoAnswer.Bad("Category is not valid for the model",
            $"The model has no category \"{unknown}\"; it has {string.Join(", ", model.Categories.OrderBy(c => c.Position).Take(20).Select(c => c.Name))}."));
    }

    /// <summary>One category for all of the request.</summary>
    private static IResult? Categorize(List<Source> sources, NanoRequest request)
    {
        var category = request.First("category");
        for (var i = 0; i < sources.Count && category is not null; i++)
        {
            sources[i] = sources[i] with { Categories = [category] };
        }

        return category is null ? NanoAnswer.Bad("Category missing", "Say which category the images show: a field or a query parameter named category.") : null;
    }

    /// <summary>
    /// <c>data</c> says of each file what it shows. For URLs there are also fields named <c>categories</c>, all of one URL, or as many as there are
    /// URLs, in their order. An image that nothing is said of is refused: to Headstart one without a label shows none of the categories.
    /// </summary>
    private static IResult? Annotate(List<Source> sources, NanoRequest request, int urls)
    {
        if (request.First("data") is { } data)
        {
            if (ReadData(data) is not { } annotations)
            {
                return NanoAnswer.Bad("Data is not valid", """The field data is a list in JSON: [{"filename":"a.jpg","categories":["x","y"]}].""");
            }

            for (var i = 0; i < sources.Count; i++)
            {
                sources[i] = sources[i] with { Categories = annotations.GetValueOrDefault(sources[i].Name) };
            }

            return null;
        }

        var categories = request.All("categories");
        if (urls != sources.Count || categories.Count == 0 || (urls > 1 && urls != categories.Count))
        {
            return NanoAnswer.Bad("Annotations missing", """Say what each image shows in a field named data: [{"filename":"a.jpg","categories":["x","y"]}].""");
        }

        for (var i = 0; i < sources.Count; i++)
        {
            sources[i] = sources[i] with { Categories = urls == 1 ? categories : [categories[i]] };
        }

        return null;
    }

    private static Dictionary<string, IReadOnlyList<string>>? ReadData(string data)
    {
        try
        {
            using var json = JsonDocument.Parse(data);
            var annotations = new Dictionary<string, IReadOnlyList<string>>();
            foreach (var entry in json.RootElement.ValueKind == JsonValueKind.Object ? [json.RootElement] : json.RootElement.EnumerateArray().AsEnumerable())
            {
                if (entry.TryGetProperty("categories", out var categories))
                {
                    annotations[UploadReader.Readable(entry.GetProperty("filename").GetString() ?? "")] = categories.ValueKind == JsonValueKind.String
                        ? [categories.GetString()!] : [.. categories.EnumerateArray().Select(category => category.GetString() ?? "")];
                }
            }

            return annotations;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null; // no JSON, or JSON of another shape
        }
    }

    /// <summary>One at a time, so that memory holds one.</summary>
    private async IAsyncEnumerable<UploadedFile> ReadAsync(List<Source> sources, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var (name, file, url, categories) in sources)
        {
            if (categories is null)
            {
                yield return new(name, null, null, "annotation-missing", "The field data has no entry with categories for this file; an empty list says that it shows none of them.");
                continue;
            }

            var (_, bytes, reason, detail) = file is null ? await web.FetchAsync(url, settings.Uploads.MaxFileBytes, cancel) : await NanoFiles.ReadAsync(file, settings, cancel);
            yield return new(name, categories.Count == 0 ? [""] : categories, bytes, reason, detail);
        }
    }
}
