using Headstart.Access;
using Headstart.Learning.Backbones;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Backbones;

/// <param name="Features">Length of its feature vectors.</param>
/// <param name="PublishedAccuracy">ImageNet top-1 accuracy that its authors report, in percent.</param>
/// <param name="Present">Whether this host has it.</param>
/// <param name="MsPerImage">Milliseconds per image, measured at start, one image at a time; null if this host does not have the
/// backbone.</param>
/// <param name="MemoryPerImageMb">
/// Megabytes by which a new process grew for its first images, without the network itself; measured at registration.
/// </param>
/// <param name="Registered">Whether a user registered it, so that it can be deleted.</param>
/// <param name="BytesFetched">How many bytes have been downloaded; null unless a download is running.</param>
/// <param name="Problem">Why the last download failed, or that downloads are off.</param>
/// <param name="Space">The space it shares with a text network (see GET /text-backbones): with both, models start from the words of their
/// categories. null if it shares none.</param>
/// <param name="EightBit">Whether runs try its 8-bit form instead; null if it is one, or if this host does not have the backbone.</param>
public sealed record BackboneResponse(
    string Id, string Family, int Features, int InputSize, long Bytes, string Sha256, double? PublishedAccuracy, string Source,
    string Licence,
    bool Present, double? MsPerImage, double? MemoryPerImageMb, bool Registered, BackboneState State, long? BytesFetched, string? Problem,
    string? Space, EightBit? EightBit);

public enum BackboneState
{
    Present,

    /// <summary>Being downloaded.</summary>
    Fetching,

    /// <summary>In the catalogue: a training run that names it downloads it; <c>backbones fetch</c> does so ahead of time.</summary>
    Available,

    /// <summary>The last download failed; a training run that names it tries again.</summary>
    Failed,
}

public static class BackbonesApi
{
    public static void MapBackbones(this RouteGroupBuilder api)
    {
        var backbones = api.MapGroup("/backbones").WithTags("Backbones");
        backbones.MapGet("/", List).Named("listBackbones", "List the backbones",
            "First the backbones of this host, fastest first, with their measured time; then those of the catalogue, with the state of "
                + "their download.").Refuses(401);
        backbones.MapGet("/{backbone}", Get).Named("getBackbone", "Get a backbone", "Finds backbones of this host and of its catalogue.")
            .Refuses(401, 404);
        backbones.MapPost("/", Register).RequireAuthorization(Scopes.Operator).Named("registerBackbone", "Register a backbone of your own",
                "An ONNX network with one input, float32 [n, 3, size, size], and all weights in the file; a classifier at its end is "
                    + "detected and removed. All fields are optional; size is the side of the input in pixels, if the file does not "
                    + "say; output selects the one with the features if there are several; pooling (cls or mean) reduces an output with "
                    + "a vector per token; channels is bgr for networks that expect blue first; space names the space that it shares "
                    + "with a text network. The file is tested in a separate process. The next training run can use it. Sending "
                    + "the same file again changes nothing. All accounts share it, so this needs an operator key.")
            .WithMetadata(new FileForm(BackboneFields.Examples, OneFile: true))
            .Produces<BackboneResponse>().Produces<BackboneResponse>(StatusCodes.Status201Created)
                .Refuses(400, 401, 403, 409, 413, 415, 422, 507);
        backbones.MapDelete("/{backbone}", Delete).RequireAuthorization(Scopes.Operator)
            .Named("deleteBackbone", "Delete a registered backbone",
            "Only a backbone that was registered over the API and that no version needs. Needs an operator key.")
            .Refuses(401, 403, 404, 409);
    }

    private static async Task<Page<BackboneResponse>> List(LoadedBackbones loaded, HostCatalogue catalogue, BackboneRegistry registry,
        BackboneFetcher fetcher, EightBitForms forms, CancellationToken cancel)
    {
        await loaded.Bundled.WaitAsync(cancel);
        return new(
            [
                .. loaded.All.Select(b => Response(b, registry, forms)),
                .. catalogue.Entries.Where(e => loaded.Find(e.Manifest.Id) is null).Select(e => Response(e, fetcher)),
            ],
            null);
    }

    private static async Task<Results<Ok<BackboneResponse>, ProblemHttpResult>> Get(string backbone, LoadedBackbones loaded,
        HostCatalogue catalogue, BackboneRegistry registry, BackboneFetcher fetcher, EightBitForms forms, CancellationToken cancel)
    {
        await loaded.Bundled.WaitAsync(cancel);
        return loaded.Find(backbone) is { } here ? TypedResults.Ok(Response(here, registry, forms))
            : catalogue.Find(backbone) is { } entry ? TypedResults.Ok(Response(entry, fetcher))
            : NoSuchBackbone();
    }

    private static async Task<Results<Created<BackboneResponse>, Ok<BackboneResponse>, ProblemHttpResult>> Register(
        HttpContext http, BackboneRegistry registry, EightBitForms forms, Settings settings, CancellationToken cancel)
    {
        var upload = registry.NewUpload();
        try
        {
            var form = await BackboneUpload.ReadAsync(http.Request, [.. BackboneFields.Examples.Keys], upload,
                settings.Backbones.MaxUploadBytes, cancel);

            var (backbone, isNew) = await registry.AddAsync(upload, BackboneFields.Read(form.Fields.GetValueOrDefault, form.FileName),
                cancel);
            return isNew ? TypedResults.Created($"/api/v1/backbones/{backbone.Manifest.Id}", Response(backbone, registry, forms))
                : TypedResults.Ok(Response(backbone, registry, forms));
        }
        catch (BackboneException e)
        {
            return Problems.Invalid("invalid-field", e.Message);
        }
        finally
        {
            File.Delete(upload); // already moved if it was registered
        }
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(
        string backbone, LoadedBackbones loaded, BackboneRegistry registry, CancellationToken cancel)
    {
        if (loaded.Find(backbone) is not { } here)
        {
            return NoSuchBackbone();
        }

        return await registry.RemoveAsync(here, cancel) is { } refusal ? refusal : TypedResults.NoContent();
    }

    private static BackboneResponse Response(Backbone backbone, BackboneRegistry registry, EightBitForms forms) =>
        Response(backbone.Manifest, BackboneState.Present, Math.Round(backbone.MsPerImage, 2), registry.IsRegistered(backbone),
            eightBit: forms.Of(backbone));

    private static BackboneResponse Response(CatalogueEntry entry, BackboneFetcher fetcher)
    {
        var fetch = fetcher.Find(entry.Manifest.Id);
        return !fetcher.CanFetch(entry.Manifest.Id) ? Response(entry.Manifest, BackboneState.Available, problem: "Not downloaded, because "
            + "Headstart:Backbones:Download is false.")
            : fetch is null ? Response(entry.Manifest, BackboneState.Available)
            : fetch.Failure is { } failure ? Response(entry.Manifest, BackboneState.Failed, problem: $"The download failed: {failure}.")
            : Response(entry.Manifest, BackboneState.Fetching, bytesFetched: fetch.Done);
    }

    private static BackboneResponse Response(
        BackboneManifest manifest, BackboneState state, double? msPerImage = null, bool registered = false, long? bytesFetched = null,
        string? problem = null, EightBit? eightBit = null) => new(
        manifest.Id, manifest.Family, manifest.Features, manifest.Preprocessing.Size, manifest.Bytes, manifest.Sha256,
        manifest.PublishedAccuracy,
        manifest.Source, manifest.Licence, state == BackboneState.Present, msPerImage, manifest.MemoryPerImageMb, registered, state,
        bytesFetched, problem, manifest.Space, eightBit);

    internal static ProblemHttpResult NoSuchBackbone(string list = "/api/v1/backbones") =>
        Problems.Of(StatusCodes.Status404NotFound, "backbone-not-found",
        $"This host has no backbone with this id; GET {list} lists the backbones.");
}
