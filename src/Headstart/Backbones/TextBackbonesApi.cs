using Headstart.Access;
using Headstart.Learning.Texts;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Backbones;

/// <param name="Kind">Word vectors in GloVe's format, or a sentence network with its vocabulary.</param>
/// <param name="Features">Length of its word vectors; null for a sentence network.</param>
/// <param name="Bytes">Of the file, or of the network; of both files for one that is not here.</param>
/// <param name="Sha256">Of the file, or of the sums of network and vocabulary.</param>
/// <param name="Source">Where it is published, of those we know by name.</param>
/// <param name="Registered">Whether a user registered it, so that it can be deleted.</param>
/// <param name="UsedAs">What a run of texts can be told to use as its <c>backbone</c>, and tries by itself otherwise.</param>
/// <param name="Problem">Why it is not here, and what to do.</param>
public sealed record TextBackboneResponse(
    string Id, RegisteredTextKind Kind, int? Features, long Bytes, string Sha256, string? Source, string? Licence, bool Present, bool Registered,
    IReadOnlyList<string> UsedAs, string? Problem);

public static class TextBackbonesApi
{
    private const string Path = "/text-backbones";

    public static void MapTextBackbones(this RouteGroupBuilder api)
    {
        var texts = api.MapGroup(Path).WithTags("Backbones");
        texts.MapGet("/", List).Named("listTextBackbones", "List the backbones for texts",
            "Word vectors and sentence networks that were registered or lie in the folder text of a backbones folder, looked for once, when they are first wanted; then those known by name. "
            + "What needs no file, TF-IDF and vectors learned from a model's own texts, is tried besides them.").Refuses(401);
        texts.MapPost("/", Register).RequireAuthorization(Scopes.Operator).Named("registerTextBackbone", "Register word vectors of your own",
                "A file in GloVe's text format, .txt or .txt.gz: a word and its values a line, the most frequent words first; the first 200,000 count. id may be left out. The next training run of a text model tries them, "
                + "as they are and as what its own word vectors begin with. Sending the same file again changes nothing. All accounts share it, so this needs an operator.")
            .WithMetadata(new FileForm(new Dictionary<string, string> { ["id"] = "our-words" }, RawImage: false, OneFile: true))
            .Produces<TextBackboneResponse>().Produces<TextBackboneResponse>(StatusCodes.Status201Created).Refuses(400, 401, 403, 409, 413, 415, 422, 507);
        texts.MapDelete("/{backbone}", Delete).RequireAuthorization(Scopes.Operator).Named("deleteTextBackbone", "Delete registered word vectors",
            "Only what was registered over the API and no version needs; one that merely began with them keeps what it made of them. Needs an operator.").Refuses(401, 403, 404, 409);
    }

    private static Page<TextBackboneResponse> List(LoadedTextBackbones loaded, TextRegistry registry) => new(
        [
            .. loaded.All.Select(file => Response(file, registry)),
            .. TextCatalogue.Entries.Where(entry => loaded.Find(entry.Id) is null).Select(entry => new TextBackboneResponse(entry.Id, RegisteredTextKind.Sentences,
                Features: null, entry.Bytes, entry.Sha256, entry.Source, entry.Licence, Present: false, Registered: false, UsedAs: [],
                $"It is not fetched by itself: the verb 'backbones fetch {entry.Id}' brings it, or put {TextCatalogueEntry.NetworkName} and {TextCatalogueEntry.VocabularyName} into the folder text/{entry.Id} "
                + "of a backbones folder; the host finds it at its next start.")),
        ],
        null);

    private static async Task<Results<Created<TextBackboneResponse>, Ok<TextBackboneResponse>, ProblemHttpResult>> Register(
        HttpContext http, BackboneRegistry uploads, TextRegistry registry, Settings settings, CancellationToken cancel)
    {
        var upload = uploads.NewUpload();
        try
        {
            var (form, unreadable) = await BackboneUpload.ReadAsync(http.Request, ["id"], upload, settings.Backbones.MaxUploadBytes, cancel);
            if (form is null)
            {
                return unreadable!;
            }

            var id = form.Fields.GetValueOrDefault("id")?.Trim();
            var (text, isNew, refusal) = await registry.AddAsync(upload, string.IsNullOrEmpty(id) ? null : id, form.FileName, cancel);
            return text is null ? refusal!
                : isNew ? TypedResults.Created($"/api/v1{Path}", Response(text, registry))
                : TypedResults.Ok(Response(text, registry));
        }
        finally
        {
            File.Delete(upload); // no longer there when it was taken in
        }
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(string backbone, LoadedTextBackbones loaded, TextRegistry registry, CancellationToken cancel) =>
        loaded.Find(backbone) is not { } here ? BackbonesApi.NoSuchBackbone($"/api/v1{Path}")
        : await registry.RemoveAsync(here, cancel) is { } refusal ? refusal
        : TypedResults.NoContent();

    private static TextBackboneResponse Response(RegisteredText file, TextRegistry registry)
    {
        var known = TextCatalogue.Find(file.Id);
        return new(file.Id, file.Kind, file.Dimensions, new FileInfo(file.Path) is { Exists: true } there ? there.Length : 0, file.Sha256, known?.Source, known?.Licence,
            Present: true, registry.IsRegistered(file), TextCandidates.IdsWith(file), Problem: null);
    }
}
