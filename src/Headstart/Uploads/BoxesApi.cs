using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Storing;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <summary>The boxes of an image in a detection model.</summary>
public static class BoxesApi
{
    public static void MapBoxes(this RouteGroupBuilder api) =>
        api.MapPut("/models/{id:guid}/images/{imageId:guid}/boxes", Put).WithTags("Images")
            .Named("setBoxes", "Set the boxes of an image", "For a model of the kind objectDetection. The boxes replace those of the "
                + "image; if it had boxes before, they count as confirmed, and reports no longer suspect them. An empty list means that "
                + "nothing is there; null that nobody has labelled the image, which runs then leave out.")
            .Example("""{"boxes":[{"category":"cats","x":0.1,"y":0.2,"width":0.3,"height":0.4}]}""")
            .Refuses(400, 401, 404, 409, 422).ForImages("its examples are at {0}/texts");

    private static async Task<Results<Ok<ImageResponse>, ProblemHttpResult>> Put(
        Guid id, Guid imageId, NewBoxesRequest request, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel)
    {
        if (await db.ModelsOf(caller).AsNoTracking().Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel)
            is not { } model)
        {
            return ImagesApi.NoSuchImage(id);
        }

        if (!model.Kind.HasBoxes())
        {
            return RoutesByKind.Refusal(model.Kind, $"its images have categories without boxes; PATCH /api/v1/models/{id}/images/{imageId} "
                + "changes them");
        }

        var boxes = request.Boxes;
        if (LabelBox.Refuse(boxes ?? []) is { } invalid)
        {
            return Problems.Invalid("invalid-boxes", invalid);
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.HoldModelAsync(id);
        var named = (boxes ?? []).Select(box => Names.Clean(box.Category!)).ToList();
        var (_, unknown) = await KnownCategories.FindAsync(db, id, named.Distinct(), cancel);
        if (unknown is not null)
        {
            return unknown;
        }

        // The user who draws boxes may err; looking at them again confirms them.
        // Locks the row, so that of two concurrent requests the image gets the boxes of one.
        if (await db.Examples.Where(e => e.ModelId == id && e.Id == imageId).ExecuteUpdateAsync(set => set
            .SetProperty(e => e.BoxesKnown, boxes != null)
            .SetProperty(e => e.Confirmed, e => boxes != null && e.BoxesKnown), cancel) == 0)
        {
            return ImagesApi.NoSuchImage(id);
        }

        var categories = await db.Categories.Where(c => c.ModelId == id).ToDictionaryAsync(c => c.Name, c => c.Id, cancel);
        await ExampleBoxes.ReplaceAsync(db, new Dictionary<Guid, IReadOnlyList<CheckedBox>>
        {
            [imageId] = [.. named.Zip(boxes ?? [], (name, box) => new CheckedBox(categories[name], box))],
        });
        await transaction.CommitAsync(cancel);
        var image = await db.Examples.AsNoTracking().WithLabels(model.Kind).SingleOrDefaultAsync(e => e.Id == imageId, cancel);
        return image is null ? ImagesApi.NoSuchImage(id)
            : TypedResults.Ok(ImageResponse.Of(image, model.Kind, categories.ToDictionary(c => c.Value, c => c.Key)));
    }
}
