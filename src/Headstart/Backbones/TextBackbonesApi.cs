using Headstart.Access;
using Headstart.Learning.Texts;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Backbones;

/// <param name="Kind">Word vectors in GloVe's format; a sentence network with its vocabulary; or words, the text half of an image-text
/// pair, which reads names and descriptions of image categories, not texts.</param>
/// <param name="Features">Length of its word vectors; null for a sentence network.</param>
/// <param name="Bytes">Size of the file or network; of network and vocabulary together if this host does not have them.</param>
/// <param name="Sha256">SHA-256 of the file, or of the hashes of network and vocabulary.</param>
/// <param name="Source">Where it is published; null unless the catalogue has it.</param>
/// <param name="Registered">Whether a user registered it, so that it can be deleted.</param>
/// <param name="UsedAs">Ids that a training run of a text model accepts as its <c>backbone</c>; without one the run tries all.</param>
/// <param name="Problem">Why this host does not have it, and what to do.</param>
/// <param name="Space">The space that it shares with an image network; null if it shares none.</param>
public sealed record TextBackboneResponse(
    string Id, RegisteredTextKind Kind, int? Features, long Bytes, string Sha256, string? Source, string? Licence, bool Present,
    bool Registered,
    IReadOnlyList<string> UsedAs, string? Problem, string? Space);

public static class TextBackbonesApi
{
    private const string Path = "/text-backbones";

    public static void MapTextBackbones(this RouteGroupBuilder api)
    {
        var texts = api.MapGroup(Path).WithTags("Backbones");
        texts.MapGet("/", List).Named("listTextBackbones", "List the backbones for texts",
            "First the word vectors and sentence networks of this host: registered ones, and those in the folder text of a backbones "
                + "folder, which is read once. Then those of the catalogue. Training also tries TF-IDF and vectors learned from the "
                + "model's own texts, which need no file.").Refuses(401);
        texts.MapPost("/", Register).RequireAuthorization(Scopes.Operator)
            .Named("registerTextBackbone", "Register word vectors of your own",
                "A file in GloVe's text format, .txt or .txt.gz: one word and its values per line, most frequent words first; the first "
                    + "200,000 words are used. id is optional. The next training run of a text model tries the vectors as they are and as "
                    + "a starting point for its own. Sending the same file again changes nothing. All accounts share them, so this needs "
                    + "an operator key.")
            .WithMetadata(new FileForm(new Dictionary<string, string> { ["id"] = "our-words" }, OneFile: true))
            .Produces<TextBackboneResponse>().Produces<TextBackboneResponse>(StatusCodes.Status201Created)
                .Refuses(400, 401, 403, 409, 413, 415, 422, 507);
        texts.MapDelete("/{backbone}", Delete).RequireAuthorization(Scopes.Operator)
            .Named("deleteTextBackbone", "Delete registered word vectors",
            "Only word vectors that were registered over the API and that no version needs. A version that only started from them has its "
                + "own copy. Needs an operator key.").Refuses(401, 403, 404, 409);
    }

    private static Page<TextBackboneResponse> List(LoadedTextBackbones loaded, TextRegistry registry) => new(
        [
            .. loaded.All.Select(file => Response(file, registry)),
            .. TextCatalogue.Entries.Where(entry => loaded.Find(entry.Id) is null)
            .Select(entry => new TextBackboneResponse(entry.Id,
                entry.Reading.Space is null ? RegisteredTextKind.Sentences : RegisteredTextKind.Words,
                Features: null, entry.Bytes, entry.Sha256, entry.Source, entry.Licence, Present: false, Registered: false, UsedAs: [],
                $"Not downloaded automatically: run the command 'backbones fetch {entry.Id}', or copy {Files(entry)} into "
                    + $"the folder text/{entry.Id} of a backbones folder; then restart the host.", entry.Reading.Space)),
        ],
        null);

    private static string Files(TextCatalogueEntry entry) => entry.Reading == SentenceReading.Usual
        ? $"{entry.NetworkName} and {entry.VocabularyName}"
        : $"{entry.NetworkName}, {entry.VocabularyName} and a {TextCatalogueEntry.ReadingName} that says how it is used";

    private static async Task<Results<Created<TextBackboneResponse>, Ok<TextBackboneResponse>, ProblemHttpResult>> Register(
        HttpContext http, BackboneRegistry uploads, TextRegistry registry, Settings settings, CancellationToken cancel)
    {
        var upload = uploads.NewUpload();
        try
        {
            var form = await BackboneUpload.ReadAsync(http.Request, ["id"], upload, settings.Backbones.MaxUploadBytes, cancel);

            var id = form.Fields.GetValueOrDefault("id")?.Trim();
            var (text, isNew) = await registry.AddAsync(upload, string.IsNullOrEmpty(id) ? null : id, form.FileName, cancel);
            return isNew ? TypedResults.Created($"/api/v1{Path}", Response(text, registry))
                : TypedResults.Ok(Response(text, registry));
        }
        finally
        {
            File.Delete(upload); // already moved if it was registered
        }
    }

    private static async Task<Results<NoContent,
        ProblemHttpResult>> Delete(string backbone, LoadedTextBackbones loaded, TextRegistry registry, CancellationToken cancel) =>
        loaded.Find(backbone) is not { } here ? BackbonesApi.NoSuchBackbone($"/api/v1{Path}")
        : await registry.RemoveAsync(here, cancel) is { } refusal ? refusal
        : TypedResults.NoContent();

    private static TextBackboneResponse Response(RegisteredText file, TextRegistry registry)
    {
        var known = TextCatalogue.Find(file.Id);
        return new(file.Id, file.Kind, file.Dimensions, new FileInfo(file.Path) is { Exists: true } there ? there.Length : 0, file.Sha256,
            known?.Source, known?.Licence,
            Present: true, registry.IsRegistered(file), TextCandidates.IdsWith(file), Problem: null, file.Space);
    }
}
