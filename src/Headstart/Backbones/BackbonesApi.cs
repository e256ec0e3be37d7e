using Headstart.Operations;

namespace Headstart.Backbones;

/// <param name="Features">Length of its feature vectors.</param>
/// <param name="PublishedAccuracy">ImageNet top-1 accuracy its authors report, in percent.</param>
/// <param name="MsPerImage">Measured on this host at start, one image at a time.</param>
public sealed record BackboneResponse(
    string Id, string Family, int Features, int InputSize, long Bytes, string Sha256, double? PublishedAccuracy, string Source, string Licence,
    bool Present, double? MsPerImage);

public static class BackbonesApi
{
    public static void MapBackbones(this RouteGroupBuilder api) =>
        api.MapGroup("/backbones").WithTags("Backbones")
            .MapGet("/", List).Named("listBackbones", "List the backbones", "Those this host has, the fastest first, with the time measured here.").Refuses(401);

    private static Page<BackboneResponse> List(BackboneShelf shelf) => new(
        [.. shelf.All.Select(b => new BackboneResponse(
            b.Manifest.Id, b.Manifest.Family, b.Manifest.Features, b.Manifest.Preprocessing.Size, b.Manifest.Bytes, b.Manifest.Sha256,
            b.Manifest.PublishedAccuracy, b.Manifest.Source, b.Manifest.Licence, true, Math.Round(b.MsPerImage, 2)))],
        null);
}
