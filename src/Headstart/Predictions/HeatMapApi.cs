using System.Security.Claims;
using Headstart.Access;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Heads;
using Headstart.Learning.Imaging;
using Headstart.Operations;
using Headstart.Uploads;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Predictions;

/// <summary>Where a version sees what it answers, in an image of the model.</summary>
public static class HeatMapApi
{
    public static void MapHeatMaps(this RouteGroupBuilder api) =>
        api.MapGet("/models/{id:guid}/images/{imageId:guid}/heat-map", Draw).WithTags("Images").Named("getImageHeatMap", "See where an image shows its label",
                "A PNG, or with ?size= a JPEG that fits a square of that many pixels: the image with red where most of it speaks for what the version answers, down to blue. "
                + "Of the published version unless ?version= names another.")
            .Produces<byte[]>(200, "image/png", "image/jpeg").Refuses(400, 401, 404, 409, 503);

    private static async Task<Results<FileContentHttpResult, ProblemHttpResult>> Draw(
        Guid id, Guid imageId, int? version, int? size, HttpContext http, HeadstartDb db, IBlobStore blobs, HeadCache heads, Predictor predictor, ClaimsPrincipal caller, CancellationToken cancel)
    {
        if (ThumbnailSize.Refuse(size) is { } refusal)
        {
            return refusal;
        }

        var found = await db.ModelsOf(caller).Where(m => m.Id == id)
            .Join(db.Examples.Where(i => i.Id == imageId), m => m.Id, i => i.ModelId, (m, i) => new { m.PublishedVersion, i.Sha256 }).SingleOrDefaultAsync(cancel);
        if (found is null || await blobs.GetAsync(found.Sha256, cancel) is not { } image)
        {
            return Problems.NoSuch("image", $"/api/v1/models/{id}/images");
        }

        if ((version ?? found.PublishedVersion) is not { } number)
        {
            return Problems.NoPublishedVersion();
        }

        try
        {
            if (await heads.GetAsync(db, id, number, cancel) is not { } served)
            {
                return Problems.NoSuch("version", $"/api/v1/models/{id}/versions");
            }

            if (await predictor.AskAsync(caller, served, image, explain: true, cancel) is not { } answer)
            {
                return PredictionsApi.Overloaded(http);
            }

            return answer.Explanation?.Data is { } picture ? size is { } side ? TypedResults.Bytes(ImageReader.Thumbnail(picture, side), "image/jpeg") : TypedResults.Bytes(picture, "image/png")
                : Problems.Of(StatusCodes.Status409Conflict, "no-heat-map", answer.Explanation?.Detail ?? answer.Refusal?.Detail ?? "There is no heat map of this image.");
        }
        catch (Exception e) when (e is VersionUnavailableException or HeadArtifactException)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "version-unavailable", e.Message);
        }
    }
}
