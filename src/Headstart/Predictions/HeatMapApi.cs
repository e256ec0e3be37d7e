using System.Security.Claims;
using Headstart.Access;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Uploads;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Predictions;

/// <summary>Heat maps: which areas of an image of the model support the predicted label.</summary>
public static class HeatMapApi
{
    public static void MapHeatMaps(this RouteGroupBuilder api) =>
        api.MapGet("/models/{id:guid}/images/{imageId:guid}/heat-map", Draw).WithTags("Images").Named(
                "getImageHeatMap", "Get a heat map of an image",
                "Shows which areas support the predicted label, from red (most) to blue, drawn over the image. A PNG, or with ?size= a "
                + "JPEG that fits a square of that many pixels. Uses the published version unless ?version= names another.")
            .Produces<byte[]>(200, "image/png", "image/jpeg").Refuses(400, 401, 404, 409, 503);

    private static async Task<Results<FileContentHttpResult, ProblemHttpResult>> Draw(
        Guid id, Guid imageId, int? version, int? size, HttpContext http, [FromServices] HeatMaps maps, CancellationToken cancel)
    {
        if (ThumbnailSize.Refuse(size) is { } refusal)
        {
            return refusal;
        }

        if (await maps.DrawAsync(http.User, (id, imageId), version, cancel) is not { } picture)
        {
            return VersionProblems.Overloaded(http);
        }

        return size is { } side ? TypedResults.Bytes(ImageReader.Thumbnail(picture, side), "image/jpeg")
            : TypedResults.Bytes(picture, "image/png");
    }
}

internal sealed class HeatMaps(HeadstartDb db, IBlobStore blobs, ServableVersions versions, Predictor predictor)
{
    private static readonly PredictionQuery Explained = new(null, null, Explain: true, null, null);

    /// <param name="of">The image and its model.</param>
    /// <param name="version">Number of the version; null for the published one.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>A PNG; null if the host is busy.</returns>
    /// <exception cref="RefusedException">There is no such image or version, or it has no heat map.</exception>
    public async Task<byte[]?> DrawAsync(ClaimsPrincipal caller, (Guid Model, Guid Image) of, int? version, CancellationToken cancel)
    {
        var sha256 = await db.ModelsOf(caller).Where(m => m.Id == of.Model)
            .Join(db.Examples.Where(e => e.Id == of.Image), m => m.Id, e => e.ModelId, (_, e) => e.Sha256).SingleOrDefaultAsync(cancel);
        if (sha256 is null || await blobs.GetAsync(sha256, cancel) is not { } image)
        {
            throw new RefusedException(Problems.NoSuch("image", $"/api/v1/models/{of.Model}/images"));
        }

        var found = await versions.FindAsync(caller, of.Model, version, cancel);
        RefusedException.ThrowIf(found.Refusal);
        if (found.Version is ServedDetector)
        {
            throw None("A detection model has no heat maps: its boxes show where the objects are.");
        }

        var answer = await predictor.AskAsync(caller, found.Version!, image, Explained, cancel);
        return answer is null ? null : answer.Explanation?.Data
            ?? throw None(answer.Explanation?.Detail ?? answer.Refusal?.Detail ?? "There is no heat map for this image.");
    }

    private static RefusedException None(string why) => new(StatusCodes.Status409Conflict, "no-heat-map", why);
}
