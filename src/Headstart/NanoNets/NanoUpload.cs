using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Json;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;
using Headstart.Uploads.Formats;
using Headstart.Uploads.Storing;

namespace Headstart.NanoNets;

/// <summary>Adds files and URLs with their categories to a model through the same <see cref="ImageUpload"/> as the other APIs.</summary>
internal sealed class NanoUpload(HeadstartDb db, ImageUpload upload, WebFetcher web, Settings settings)
{
    private static readonly JsonSerializerOptions Reading = new(JsonSerializerDefaults.Web);

    /// <param name="caller">Owns the model.</param>
    /// <param name="model">With its categories.</param>
    /// <param name="request">Contains the files.</param>
    /// <param name="cancel">Stops reading; images added so far are kept.</param>
    public async Task<IResult> AddAsync(ClaimsPrincipal caller, Model model, NanoRequest request, CancellationToken cancel)
    {
        var images = request.Images;
        if (SaidOf(model, request, images, out var said) is { } error)
        {
            return error;
        }

        var answer = await upload.AddAsync(model, ReadAsync(request, said, cancel), confirmed: false, cancel);
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

    /// <param name="said">What each image shows; null if the request does not say it but must.</param>
    private IResult? SaidOf(Model model, NanoRequest request, IReadOnlyList<string> images, out IReadOnlyList<Said?> said)
    {
        said = [];
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

        if ((model.Kind.HasBoxes() ? Objects(request, images, out said) : model.Kind.TakesSeveral() ? Annotations(request, images, out said)
            : Category(request, images, out said)) is { } error)
        {
            return error;
        }

        said = [.. said.Select(image => image?.Drawn is { } drawn ? image with { Drawn = Known(drawn, model) } : image)];
        var unknown = said.SelectMany(image => image?.Drawn?.Categories ?? image?.Categories ?? []).Where(name => name.Length > 0)
            .FirstOrDefault(name => !model.Categories.Exists(c => c.Name == Names.Clean(name)));
        return unknown is null ? null : NanoAnswer.Bad("Category is not valid for the model",
            KnownCategories.Unknown(model.Id, unknown, model.Categories.ConvertAll(c => c.Name)));
    }

    /// <summary>
    /// NanoNets' own sample creates the category Tie_Fighter and draws boxes around a TieFighter: a name that is no category stands for the
    /// only category that differs just in blanks, hyphens, underscores or case.
    /// </summary>
    private static Drawing Known(Drawing drawn, Model model)
    {
        var names = model.Categories.ToLookup(category => Plain(category.Name), category => category.Name);
        return drawn with { Boxes = [.. drawn.Boxes.Select(box => box with { Category = Known(box.Category ?? "") })] };

        string Known(string name) => !model.Categories.Exists(category => category.Name == Names.Clean(name))
            && names[Plain(name)].ToList() is [var only] ? only : name;

        static string Plain(string name) => string.Concat(name.Where(c => c is not (' ' or '-' or '_'))).ToUpperInvariant();
    }

    /// <summary>Reads the single category of the request.</summary>
    private static IResult? Category(NanoRequest request, IReadOnlyList<string> images, out IReadOnlyList<Said?> said)
    {
        var named = request.Named("category");
        var category = named.Count == 1 ? named[0] : null;
        said = category is null ? [] : [.. images.Select(_ => new Said([category]))];
        return named.Count > 1 ? NanoAnswer.Bad("Category is not clear", $"The request names {named.Count} categories "
            + $"({string.Join(", ", named.Take(5))}), so it is not certain which image has which; send one request for each category.")
            : category is null ? NanoAnswer.Bad("Category missing", "Send the category of the images in a field or query parameter "
            + "named category.") : null;
    }

    /// <summary>
    /// Reads the categories of each image from <c>data</c>. A single URL may have its categories in fields of that name. For several URLs
    /// that would be ambiguous: a client that flattens [[a, b], []] sends the same as one with [[a], [b]].
    /// </summary>
    private static IResult? Annotations(NanoRequest request, IReadOnlyList<string> images, out IReadOnlyList<Said?> said)
    {
        said = [];
        if (request.First("data") is { } data)
        {
            if (ReadData(data) is not { } annotations)
            {
                return NanoAnswer.Bad("Data is not valid",
                    """The field data must be a JSON list: [{"filename":"a.jpg","categories":["x","y"]}], each filename once.""");
            }

            said = [.. images.Select(name => annotations.GetValueOrDefault(Names.Clean(name)) is { } categories
                ? new Said(categories.Count == 0 ? [""] : categories) : null)];
            return null;
        }

        var named = request.All("categories");
        var urls = request.Urls.Count;
        if (urls != images.Count || named.Count == 0 || urls > 1)
        {
            return NanoAnswer.Bad("Annotations missing",
                """Send the categories of each image in a field named data: [{"filename":"a.jpg","categories":["x","y"]}].""");
        }

        said = [new Said(named)];
        return null;
    }

    /// <summary>Reads the boxes of each image from <c>data</c>, in pixels; without it the images wait to be labelled.</summary>
    private static IResult? Objects(NanoRequest request, IReadOnlyList<string> images, out IReadOnlyList<Said?> said)
    {
        said = [.. images.Select(_ => new Said([]))];
        if (request.First("data") is not { } data)
        {
            return null;
        }

        if (ReadObjects(data) is not { } objects)
        {
            return NanoAnswer.Bad("Data is not valid", """The field data must be a JSON list: """
                + """[{"filename":"a.jpg","object":[{"name":"x","bndbox":{"xmin":1,"ymin":1,"xmax":9,"ymax":9}}]}].""");
        }

        said = [.. images.Select(name => objects.TryGetValue(Names.Clean(name), out var drawn) ? new Said([], drawn) : null)];
        return null;
    }

    /// <summary>The boxes of each file; null for a file that <c>data</c> only names. Some clients send an image once per box, so boxes are
    /// added to those it already has.</summary>
    private static Dictionary<string, Drawing?>? ReadObjects(string data)
    {
        try
        {
            using var json = JsonDocument.Parse(data);
            var all = new Dictionary<string, Drawing?>();
            foreach (var entry in json.RootElement.ValueKind == JsonValueKind.Object ? [json.RootElement]
                : json.RootElement.EnumerateArray().AsEnumerable())
            {
                var file = Names.Clean(entry.GetProperty("filename").GetString() ?? "");
                var drawn = !entry.TryGetProperty("object", out var objects) || objects.ValueKind == JsonValueKind.Null ? null
                    : NanoNetsJson.DrawingOf(objects.ValueKind == JsonValueKind.Object ? [objects.Deserialize<NanoNetsJson.Box>(Reading)!]
                        : objects.Deserialize<List<NanoNetsJson.Box>>(Reading)!) with
                    { Adds = true };
                all[file] = Drawing.Join(all.GetValueOrDefault(file), null, drawn, null);
            }

            return all;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null; // not JSON, or JSON of another shape
        }
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

    /// <summary>Refuses an image without an annotation, because Headstart takes an image without a label as showing no category.</summary>
    private async IAsyncEnumerable<UploadedFile> ReadAsync(
        NanoRequest request, IReadOnlyList<Said?> said, [EnumeratorCancellation] CancellationToken cancel)
    {
        var next = 0;
        await foreach (var file in request.ReadImagesAsync(web, settings.Uploads.MaxFileBytes, cancel))
        {
            yield return said[next++] is { } image ? file with { Categories = image.Categories, Drawn = image.Drawn }
                : file with
                {
                    Content = new FileContent.Unusable("annotation-missing",
                        "The field data has no entry with categories or objects for this file; add one, with an empty list if there are "
                        + "none."),
                };
        }
    }

    /// <summary>What a request says about an image; an empty category means that none applies.</summary>
    private sealed record Said(IReadOnlyList<string> Categories, Drawing? Drawn = null);
}
