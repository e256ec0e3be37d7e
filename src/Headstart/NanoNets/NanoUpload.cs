using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Json;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Operations;
using Headstart.Uploads;

namespace Headstart.NanoNets;

/// <summary>Adds files and URLs with their categories to a model, by the same <see cref="ImageUpload"/> as the other APIs.</summary>
internal sealed class NanoUpload(HeadstartDb db, ImageUpload upload, WebFetcher web, Settings settings)
{
    /// <param name="caller">Owns the model.</param>
    /// <param name="model">With its categories.</param>
    /// <param name="request">Contains the files.</param>
    /// <param name="cancel">Stops reading; images added so far are kept.</param>
    public async Task<IResult> AddAsync(ClaimsPrincipal caller, Model model, NanoRequest request, CancellationToken cancel)
    {
        var images = request.Images;
        if (CategoriesOf(model, request, images, out var categories) is { } error)
        {
            return error;
        }

        var answer = await upload.AddAsync(model, ReadAsync(request, categories, cancel), confirmed: false, cancel);
        var refused = answer.Rejected.ToLookup(file => file.FileName);
        if (answer.Accepted.Count == 0)
        {
            return NanoAnswer.Error(answer.Exceeded is null ? StatusCodes.Status400BadRequest : StatusCodes.Status402PaymentRequired,
                [.. answer.Rejected.Take(100).Select(file =>
                    new NanoReason(NanoAnswer.Words(file.Reason), $"{file.FileName}: {file.Detail}"))]);
        }

        var whole = answer.Rejected.Count == 0;
        var now = await NanoState.ReadAsync(db, caller, model.Id, cancel);
        return NanoAnswer.Of(now with
        {
            Message = whole ? "Success" : $"Partially successful: {answer.Rejected.Count} of {images.Count} could not be used",
            Result = [.. images.Select(name => new NanoFile(refused[RequestBodies.Readable(name)].FirstOrDefault()?.Detail ?? "Success",
            name))],
        }, whole ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    /// <param name="categories">The categories of each image; null if the request has none for it.</param>
    private IResult? CategoriesOf(Model model, NanoRequest request, IReadOnlyList<string> images,
        out IReadOnlyList<IReadOnlyList<string>?> categories)
    {
        categories = [];
        if (images.Count == 0)
        {
            return NanoAnswer.Bad("File missing", "The request contains no image: send files in parts named file or files, URLs in "
                + "fields named urls.");
        }

        if (images.Count > settings.Uploads.MaxFiles)
        {
            return NanoAnswer.Error(StatusCodes.Status413PayloadTooLarge, "Too many files", "One request may contain "
                + $"{settings.Uploads.MaxFiles} images; send the rest in another request.");
        }

        if ((model.Kind.TakesSeveral() ? Annotations(request, images, out categories) : Category(request, images, out categories))
            is { } error)
        {
            return error;
        }

        var unknown = categories.SelectMany(names => names ?? [])
            .FirstOrDefault(name => !model.Categories.Exists(c => c.Name == Names.Clean(name)));
        return unknown is null ? null : NanoAnswer.Bad("Category is not valid for the model",
            KnownCategories.Unknown(model.Id, unknown, model.Categories.ConvertAll(c => c.Name)));
    }

    /// <summary>One for the whole request.</summary>
    private static IResult? Category(NanoRequest request, IReadOnlyList<string> images,
        out IReadOnlyList<IReadOnlyList<string>?> categories)
    {
        var named = request.Named("category");
        var category = named.Count == 1 ? named[0] : null;
        categories = category is null ? [] : [.. images.Select(_ => (string[])[category])];
        return named.Count > 1 ? NanoAnswer.Bad("Category is not clear", $"The request names {named.Count} categories "
            + $"({string.Join(", ", named.Take(5))}), so it is not certain which image has which; send one request for each category.")
            : category is null ? NanoAnswer.Bad("Category missing", "Send the category of the images in a field or query parameter "
            + "named category.") : null;
    }

    /// <summary>
    /// <c>data</c> has the categories of each image. A single URL may have its categories in fields of that name. For several they would
    /// not say which URL they are of: a client that flattens [[a, b], []] sends the same as one with [[a], [b]].
    /// </summary>
    private static IResult? Annotations(NanoRequest request, IReadOnlyList<string> images,
        out IReadOnlyList<IReadOnlyList<string>?> categories)
    {
        categories = [];
        if (request.First("data") is { } data)
        {
            if (ReadData(data) is not { } annotations)
            {
                return NanoAnswer.Bad("Data is not valid",
                    """The field data must be a JSON list: [{"filename":"a.jpg","categories":["x","y"]}], each filename once.""");
            }

            categories = [.. images.Select(name => annotations.GetValueOrDefault(Names.Clean(name)))];
            return null;
        }

        var named = request.All("categories");
        var urls = request.Urls.Count;
        if (urls != images.Count || named.Count == 0 || urls > 1)
        {
            return NanoAnswer.Bad("Annotations missing",
                """Send the categories of each image in a field named data: [{"filename":"a.jpg","categories":["x","y"]}].""");
        }

        categories = [named];
        return null;
    }

    private static Dictionary<string, IReadOnlyList<string>>? ReadData(string data)
    {
        try
        {
            using var json = JsonDocument.Parse(data);
            var annotations = new Dictionary<string, IReadOnlyList<string>>();
            foreach (var entry in json.RootElement.ValueKind == JsonValueKind.Object ? [json.RootElement]
                : json.RootElement.EnumerateArray().AsEnumerable())
            {
                if (entry.TryGetProperty("categories", out var categories))
                {
                    IReadOnlyList<string> names = categories.ValueKind == JsonValueKind.String
                        ? [categories.GetString()!] : [.. categories.EnumerateArray().Select(category => category.GetString() ?? "")];
                    var file = Names.Clean(entry.GetProperty("filename").GetString() ?? "");
                    if (!annotations.TryAdd(file, names) && !annotations[file].SequenceEqual(names))
                    {
                        return null; // two files of one name: which of them has which?
                    }
                }
            }

            return annotations;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null; // not JSON, or JSON of another shape
        }
    }

    /// <summary>Refuses an image without an annotation, since Headstart takes an image without a label as one of no category.</summary>
    private async IAsyncEnumerable<UploadedFile> ReadAsync(
        NanoRequest request, IReadOnlyList<IReadOnlyList<string>?> categories, [EnumeratorCancellation] CancellationToken cancel)
    {
        var next = 0;
        await foreach (var file in request.ReadImagesAsync(web, settings.Uploads.MaxFileBytes, cancel))
        {
            yield return categories[next++] is { } names ? file with { Categories = names.Count == 0 ? [""] : names }
                : file with
                {
                    Content = new FileContent.Unusable("annotation-missing",
                        "The field data has no entry with categories for this file; add one, with an empty list if no category applies."),
                };
        }
    }
}
