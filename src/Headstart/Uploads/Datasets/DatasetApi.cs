using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads.Datasets;

public static class DatasetApi
{
    public static void MapDataset(this RouteGroupBuilder api) =>
        api.MapGet("/models/{id:guid}/dataset", Get).WithTags("Models").Named("exportDataset", "Export the data set",
                "All examples with their categories, splits, confirmations and origins, as a stream. For an image model a zip archive: "
                + "folders train and test with a folder for each category, and labels.jsonl with everything that folders cannot express. "
                + "For a text model JSON Lines. For a detection model a zip of the folder images and COCO annotations, train.json "
                + "and test.json. Send it as it is to POST /images or /texts of another model to get the same data set.")
            .Produces<Stream>(StatusCodes.Status200OK, "application/zip", "application/x-ndjson").Refuses(401, 404);

    private static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> Get(
        Guid id, HeadstartDb db, DatasetExport export, ClaimsPrincipal caller, CancellationToken cancel) =>
        await db.ModelsOf(caller).AsNoTracking().Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model
            ? Problems.NoSuchModel()
            : model.Kind.IsText()
                ? TypedResults.Stream(body => export.WriteTextsAsync(model, body, cancel), "application/x-ndjson",
                    $"{PlainNames.OfFile(model.Name)}-texts.jsonl")
                : TypedResults.Stream(body => export.WriteImagesAsync(model, body, cancel), "application/zip",
                    $"{PlainNames.OfFile(model.Name)}-dataset.zip");
}
