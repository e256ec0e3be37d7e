using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Json;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Operations;
using Headstart.Uploads;

namespace Headstart.NanoNets;

/// <summary>Files and URLs with their categories into a model, by the same <see cref="ImageUpload"/> as everybody's.</summary>
internal sealed class NanoUpload(HeadstartDb db, ImageUpload upload, WebFetcher web, Settings settings)
{
    /// <param name="caller">Owns the model.</param>
    /// <param name="model">With its categories.</param>
    /// <param name="request">Has the files.</param>
    /// <param name="cancel">Ends the reading; what was taken until then is kept.</param>
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
                [.. answer.Rejected.Take(100).Select(file => new NanoReason(NanoAnswer.Words(file.Reason), $"{file.FileName}: {file.Detail}"))]);
        }

        var whole = answer.Rejected.Count == 0;
        var now = await NanoState.ReadAsync(db, caller, model.Id, cancel);
        return NanoAnswer.Of(now with
        {
            Message = whole ? "Success" : $"Partially successful: {answer.Rejected.Count} of {images.Count} could not be used",
            Result = [.. images.Select(name => new NanoFile(refused[RequestBodies.Readable(name)].FirstOrDefault()?.Detail ?? "Success", name))],
        }, whole ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }

    /// <param name="categories">Of each image; null where the request says nothing of it.</param>
    private IResult? CategoriesOf(Model model, NanoRequest request, IReadOnlyList<string> images, out IReadOnlyList<IReadOnlyList<string>?> categories)
    {
        categories = [];
        if (images.Count == 0)
        {
            return NanoAnswer.Bad("File missing", "There is no image in the request: files go into parts named file or files, addresses into fields named urls.");
        }

        if (images.Count > settings.Uploads.MaxFiles)
        {
            return NanoAnswer.Error(StatusCodes.Status413PayloadTooLarge, "Too many files", $"One request may have {settings.Uploads.MaxFiles} images; send the others in another one.");
        }

        if ((model.Kind.TakesSeveral() ? Annotations(request, images, out categories) : Category(request, images, out categories)) is { } error)
        {
            return error;
        }

        var unknown = categories.SelectMany(names => names ?? []).FirstOrDefault(name => !model.Categories.Exists(c => c.Name == name.Trim()));
        return unknown is null ? null : NanoAnswer.Bad("Category is not valid for the model",
            $"The model has no category \"{unknown}\"; it has {string.Join(", ", model.Categories.OrderBy(c => c.Position).Take(20).Select(c => c.Name))}.");
    }

    /// <summary>One for the whole request.</summary>
    private static IResult? Category(NanoRequest request, IReadOnlyList<string> images, out IReadOnlyList<IReadOnlyList<string>?> categories)
    {
        var category = request.First("category");
        categories = category is null ? [] : [.. images.Select(_ => (string[])[category])];
        return category is null ? NanoAnswer.Bad("Category missing", "Say which category the images show: a field or a query parameter named category.") : null;
    }

    /// <summary>
    /// <c>data</c> says of each image what it shows. For URLs there are also fields named <c>categories</c>: all of one URL, or as many as there are
    /// URLs, in their order.
    /// </summary>
    private static IResult? Annotations(NanoRequest request, IReadOnlyList<string> images, out IReadOnlyList<IReadOnlyList<string>?> categories)
    {
        categories = [];
        if (request.First("data") is { } data)
        {
            if (ReadData(data) is not { } annotations)
            {
                return NanoAnswer.Bad("Data is not valid", """The field data is a list in JSON: [{"filename":"a.jpg","categories":["x","y"]}].""");
            }

            categories = [.. images.Select(name => annotations.GetValueOrDefault(name))];
            return null;
        }

        var named = request.All("categories");
        var urls = request.Urls.Count;
        if (urls != images.Count || named.Count == 0 || (urls > 1 && urls != named.Count))
        {
            return NanoAnswer.Bad("Annotations missing", """Say what each image shows in a field named data: [{"filename":"a.jpg","categories":["x","y"]}].""");
        }

        categories = urls == 1 ? [named] : [.. named.Select(name => (string[])[name])];
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
                    annotations[entry.GetProperty("filename").GetString() ?? ""] = categories.ValueKind == JsonValueKind.String
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

    /// <summary>An image that nothing is said of is refused: to Headstart one without a label shows none of the categories.</summary>
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
                        "The field data has no entry with categories for this file; an empty list says that it shows none of them."),
                };
        }
    }
}
