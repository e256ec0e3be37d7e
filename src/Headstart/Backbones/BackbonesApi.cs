using Headstart.Access;
using Headstart.Images;
using Headstart.Learning.Backbones;
using Headstart.Learning.Texts;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Backbones;

/// <param name="Features">Length of its feature vectors.</param>
/// <param name="PublishedAccuracy">ImageNet top-1 accuracy its authors report, in percent.</param>
/// <param name="Present">Whether this host can use it.</param>
/// <param name="MsPerImage">Measured on this host at start, one image at a time; null for one that is not here.</param>
/// <param name="MemoryPerImageMb">
/// Megabytes that a fresh process grew by while the first images passed through it, beyond the loaded network; measured where a backbone is registered.
/// </param>
/// <param name="Registered">Whether a user registered it, so that it can be deleted.</param>
/// <param name="BytesFetched">How much of it is here while it is being fetched.</param>
/// <param name="Problem">Why it could not be fetched a moment ago, or that nothing may be.</param>
public sealed record BackboneResponse(
    string Id, string Family, int Features, int InputSize, long Bytes, string Sha256, double? PublishedAccuracy, string Source, string Licence,
    bool Present, double? MsPerImage, double? MemoryPerImageMb, bool Registered, BackboneState State, long? BytesFetched, string? Problem);

public enum BackboneState
{
    Present,

    /// <summary>On its way.</summary>
    Fetching,

    /// <summary>In the catalogue: a run that names it fetches it, and <c>backbones fetch</c> ahead of time.</summary>
    Available,

    /// <summary>It could not be fetched some minutes ago; a run that names it tries again.</summary>
    Failed,
}

/// <param name="Kind">Word vectors in GloVe's format, or a sentence network with its vocabulary.</param>
/// <param name="Features">Length of its word vectors; null for a sentence network.</param>
/// <param name="Bytes">Of the file; 0 for one that is not here.</param>
/// <param name="Sha256">Of the file, or of the sums of network and vocabulary; null for one that is not here.</param>
/// <param name="Source">Where it is published, of those we know by name.</param>
/// <param name="UsedAs">What a run of texts can be told to use as its <c>backbone</c>, and tries by itself otherwise.</param>
/// <param name="Problem">Why it is not here, and what to do.</param>
public sealed record TextBackboneResponse(
    string Id, RegisteredTextKind Kind, int? Features, long Bytes, string? Sha256, string? Source, string? Licence, bool Present, IReadOnlyList<string> UsedAs, string? Problem);

public static class BackbonesApi
{
    public static void MapBackbones(this RouteGroupBuilder api)
    {
        var backbones = api.MapGroup("/backbones").WithTags("Backbones");
        backbones.MapGet("/", List).Named("listBackbones", "List the backbones",
            "Those this host has, the fastest first, with the time measured here; then those of the catalogue that can be fetched, with how far they are.").Refuses(401);
        backbones.MapGet("/{backbone}", Get).Named("getBackbone", "Get a backbone", "One that this host has or that its catalogue knows.").Refuses(401, 404);
        backbones.MapPost("/", Register).RequireAuthorization(Scopes.Operator).Named("registerBackbone", "Register a backbone of your own",
                "An ONNX network with one input, float32 [n, 3, size, size] in RGB order, and all weights in the file; a classifier at its end is found and cut off. "
                + "All fields may be left out; size is the side of the input where the file leaves it open. It is tried in a process of its own first. The next training run can use it. Sending the same file again changes nothing. All accounts share it, so this needs an operator.")
            .WithMetadata(new FileForm(BackboneFields.Examples, RawImage: false, OneFile: true))
            .Produces<BackboneResponse>().Produces<BackboneResponse>(StatusCodes.Status201Created).Refuses(400, 401, 403, 409, 413, 415, 422, 507);
        api.MapGet("/text-backbones", ListTexts).WithTags("Backbones").Named("listTextBackbones", "List the backbones for texts",
            "Word vectors and sentence networks that lie in the folder text of a backbones folder, looked for once, when they are first wanted; then those known by name. What needs no file, "
            + "TF-IDF and vectors learned from a model's own texts, is tried besides them.").Refuses(401);
        backbones.MapDelete("/{backbone}", Delete).RequireAuthorization(Scopes.Operator).Named("deleteBackbone", "Delete a registered backbone",
            "Only one that was registered over the API and that no version needs. Needs an operator.").Refuses(401, 403, 404, 409);
    }

    private static Page<BackboneResponse> List(BackboneShelf shelf, HostCatalogue catalogue, BackboneRegistry registry, BackboneFetcher fetcher) => new(
        [
            .. shelf.All.Select(b => Response(b, registry)),
            .. catalogue.Entries.Where(e => shelf.Find(e.Manifest.Id) is null).Select(e => Response(e, fetcher)),
        ],
        null);

    private static Page<TextBackboneResponse> ListTexts(TextShelf shelf) => new(
        [
            .. shelf.All.Select(file => Response(file, TextCatalogue.Entries.FirstOrDefault(entry => entry.Id == file.Id))),
            .. TextCatalogue.Entries.Where(entry => shelf.All.All(file => file.Id != entry.Id)).Select(entry => new TextBackboneResponse(entry.Id, RegisteredTextKind.Sentences,
                Features: null, Bytes: 0, Sha256: null, entry.Address, entry.Licence, Present: false, UsedAs: [],
                $"It is not fetched by itself: put {string.Join(" and ", entry.Files)} into the folder text/{entry.Id} of a backbones folder and start the host again.")),
        ],
        null);

    private static TextBackboneResponse Response(RegisteredText file, TextCatalogueEntry? known) => new(file.Id, file.Kind, file.Dimensions,
        new FileInfo(file.Path) is { Exists: true } there ? there.Length : 0, file.Sha256, known?.Address, known?.Licence, Present: true, TextCandidates.IdsWith(file), Problem: null);

    private static Results<Ok<BackboneResponse>, ProblemHttpResult> Get(
        string backbone, BackboneShelf shelf, HostCatalogue catalogue, BackboneRegistry registry, BackboneFetcher fetcher) =>
        shelf.Find(backbone) is { } here ? TypedResults.Ok(Response(here, registry))
        : catalogue.Find(backbone) is { } entry ? TypedResults.Ok(Response(entry, fetcher))
        : NoSuchBackbone();

    private static async Task<Results<Created<BackboneResponse>, Ok<BackboneResponse>, ProblemHttpResult>> Register(
        HttpContext http, BackboneRegistry registry, Settings settings, CancellationToken cancel)
    {
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null; // the file has its own limit
        if (UploadReader.Boundary(http.Request) is not { } boundary)
        {
            return Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                "Send multipart/form-data with a boundary and the network in a part named file, as curl -F file=@resnet.onnx does.");
        }

        var upload = registry.NewUpload();
        try
        {
            var (given, unreadable) = await BackboneUpload.ReadAsync(http.Request, boundary, upload, settings.Backbones.MaxUploadBytes, cancel);
            if (given is null)
            {
                return unreadable!;
            }

            var (backbone, isNew, refusal) = await registry.AddAsync(upload, given, cancel);
            return backbone is null ? refusal!
                : isNew ? TypedResults.Created($"/api/v1/backbones/{backbone.Manifest.Id}", Response(backbone, registry))
                : TypedResults.Ok(Response(backbone, registry));
        }
        finally
        {
            File.Delete(upload); // no longer there when it was taken in
        }
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(
        string backbone, BackboneShelf shelf, BackboneRegistry registry, CancellationToken cancel)
    {
        if (shelf.Find(backbone) is not { } here)
        {
            return NoSuchBackbone();
        }

        return await registry.RemoveAsync(here, cancel) is { } refusal ? refusal : TypedResults.NoContent();
    }

    private static BackboneResponse Response(Backbone backbone, BackboneRegistry registry) =>
        Response(backbone.Manifest, BackboneState.Present, Math.Round(backbone.MsPerImage, 2), registry.IsRegistered(backbone));

    private static BackboneResponse Response(CatalogueEntry entry, BackboneFetcher fetcher)
    {
        var fetch = fetcher.Find(entry.Manifest.Id);
        return !fetcher.CanFetch(entry.Manifest.Id) ? Response(entry.Manifest, BackboneState.Available, problem: "Headstart:Backbones:Download is false, so it is not fetched.")
            : fetch is null ? Response(entry.Manifest, BackboneState.Available)
            : fetch.Failure is { } failure ? Response(entry.Manifest, BackboneState.Failed, problem: $"It could not be fetched: {failure}.")
            : Response(entry.Manifest, BackboneState.Fetching, bytesFetched: fetch.Done);
    }

    private static BackboneResponse Response(
        BackboneManifest manifest, BackboneState state, double? msPerImage = null, bool registered = false, long? bytesFetched = null, string? problem = null) => new(
        manifest.Id, manifest.Family, manifest.Features, manifest.Preprocessing.Size, manifest.Bytes, manifest.Sha256, manifest.PublishedAccuracy,
        manifest.Source, manifest.Licence, state == BackboneState.Present, msPerImage, manifest.MemoryPerImageMb, registered, state, bytesFetched, problem);

    private static ProblemHttpResult NoSuchBackbone() => Problems.Of(StatusCodes.Status404NotFound, "backbone-not-found",
        "This host has no such backbone; GET /api/v1/backbones lists those it has.");
}
