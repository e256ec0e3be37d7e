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

    private static Task<Results<FileContentHttpResult, ProblemHttpResult>> Draw(
        Guid id, Guid imageId, int? version, int? size, HttpContext http, [FromServices] HeatMaps maps, CancellationToken cancel) =>
        maps.DrawAsync(http, (id, imageId), version, size, cancel);
}

internal sealed class HeatMaps(HeadstartDb db, IBlobStore blobs, ServableVersions versions, Predictor predictor)
{
    /// <param name="of">The image and its model.</param>
    /// <param name="version">Number of the version; null for the published one.</param>
    /// <param name="size">Side of the square that a JPEG must fit; null for the full-size PNG.</param>
    /// <param name="cancel">Leaves the queue.</param>
    public async Task<Results<FileContentHttpResult, ProblemHttpResult>> DrawAsync(
        HttpContext http, (Guid Model, Guid Image) of, int? version, int? size, CancellationToken cancel)
    {
        if (ThumbnailSize.Refuse(size) is { } refusal)
        {
            return refusal;
        }

        var sha256 = await db.ModelsOf(http.User).Where(m => m.Id == of.Model)
            .Join(db.Examples.Where(e => e.Id == of.Image), m => m.Id, e => e.ModelId, (_, e) => e.Sha256).SingleOrDefaultAsync(cancel);
        if (sha256 is null || await blobs.GetAsync(sha256, cancel) is not { } image)
        {
            return Problems.NoSuch("image", $"/api/v1/models/{of.Model}/images");
        }

        var found = await versions.FindAsync(http.User, of.Model, version, cancel);
        if (found.Version is null)
        {
            return found.Refusal!;
        }

        if (found.Version is not ServedClassifier served)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "no-heat-map", "A detection model has no heat maps: its boxes show where "
                + "the objects are.");
        }

        if (await predictor.AskAsync(http.User, served, image, explain: true, cancel) is not { } answer)
        {
            return VersionProblems.Overloaded(http);
        }

        return answer.Explanation?.Data is { } picture ? size is { } side
            ? TypedResults.Bytes(ImageReader.Thumbnail(picture, side), "image/jpeg") : TypedResults.Bytes(picture, "image/png")
            : Problems.Of(StatusCodes.Status409Conflict, "no-heat-map",
                answer.Explanation?.Detail ?? answer.Refusal?.Detail ?? "There is no heat map for this image.");
    }
}
