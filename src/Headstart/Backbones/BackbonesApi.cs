using Headstart.Learning.Backbones;
using Headstart.Operations;

namespace Headstart.Backbones;

/// <param name="Features">Length of its feature vectors.</param>
/// <param name="PublishedAccuracy">ImageNet top-1 accuracy its authors report, in percent.</param>
/// <param name="Present">Whether this host can use it; the others can be brought with <c>backbones fetch</c>.</param>
/// <param name="MsPerImage">Measured on this host at start, one image at a time; null for one that is not here.</param>
public sealed record BackboneResponse(
    string Id, string Family, int Features, int InputSize, long Bytes, string Sha256, double? PublishedAccuracy, string Source, string Licence,
    bool Present, double? MsPerImage);

public static class BackbonesApi
{
    public static void MapBackbones(this RouteGroupBuilder api) =>
        api.MapGroup("/backbones").WithTags("Backbones")
            .MapGet("/", List).Named("listBackbones", "List the backbones", "Those this host has, the fastest first, with the time measured here; then those of the catalogue that can be fetched.").Refuses(401);

    private static Page<BackboneResponse> List(BackboneShelf shelf) => new(
        [
            .. shelf.All.Select(b => Response(b.Manifest, b.MsPerImage)),
            .. Catalogue.Entries.Where(e => e.Address is not null && shelf.Find(e.Manifest.Id) is null).Select(e => Response(e.Manifest, null)),
        ],
        null);

    private static BackboneResponse Response(BackboneManifest manifest, double? msPerImage) => new(
        manifest.Id, manifest.Family, manifest.Features, manifest.Preprocessing.Size, manifest.Bytes, manifest.Sha256, manifest.PublishedAccuracy,
        manifest.Source, manifest.Licence, msPerImage is not null, msPerImage is { } ms ? Math.Round(ms, 2) : null);
}
