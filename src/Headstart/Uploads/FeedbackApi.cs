using Headstart.Access;
using Headstart.Data;
using Headstart.Uploads.Storing;
using Headstart.Uploads.Texts;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

public static class FeedbackApi
{
    public static void MapFeedback(this RouteGroupBuilder api)
    {
        Map("", "Images").Produces<UploadResponse>().Named("giveFeedback", "Correct a wrong prediction",
                "Send a form as for adding images: a field named category with the correct category, then the misclassified files; or a "
                + "part named manifest, and it may have boxes. They become labelled images with a confirmed category; an image that the "
                + "model has in another category is moved, and in a detection model gets the new boxes. The next training run learns from "
                + "them. The body of /feedback/list is accepted here, too. For a text model send the JSON of /feedback/text.")
            .WithMetadata(new FileForm(ImagesApi.Fields, Manifest: true));
        Map("/list", "Images").Produces<UploadResponse>().Named("giveFeedbackList", "Correct wrong predictions of a detection model",
                "Each has the url of an image or its base64, and its correct boxes, which replace those that the image has and are "
                + "confirmed.")
            .WithMetadata(new JsonBody(typeof(NewImagesRequest)), new BodyExample(ImagesApi.BoxesExample));
        Map("/text", "Texts").Produces<TakenTexts>().Named("giveTextFeedback", "Correct a wrong prediction of a text",
                "The text and its correct category. It becomes a labelled text with a confirmed category; the next training run learns "
                + "from it.")
            .WithMetadata(new JsonBody(typeof(LabelledText)), new BodyExample("""{"text":"I loved it","category":"positive"}"""));

        RouteHandlerBuilder Map(string path, string tag) => api.MapPost($"/models/{{id:guid}}/feedback{path}", Give).WithTags(tag)
            .Spends(Quota.Images, Quota.Bytes).Refuses(400, 401, 404, 413, 415, 422, 507);
    }

    private static async Task<Results<Ok<TakenTexts>, Ok<UploadResponse>, ProblemHttpResult>> Give(
        Guid id, HttpContext http, HeadstartDb db, [FromServices] ImageRequests images, [FromServices] TextFeedback texts,
        CancellationToken cancel)
    {
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        if (await db.ModelsOf(http.User).AsNoTracking().Include(m => m.Categories).SingleOrDefaultAsync(m => m.Id == id, cancel)
            is not { } model)
        {
            return Problems.NoSuchModel();
        }

        IResult answer = model.Kind.IsText() ? (await texts.TakeAsync(model, http.Request, cancel)).Result
            : RequestBodies.Boundary(http.Request) is null && !model.Kind.HasBoxes() ? Problems.NotMultipart()
            : (await images.FeedbackAsync(model, http.Request, cancel)).Result;
        return answer switch
        {
            Ok<TakenTexts> taken => taken,
            Ok<UploadResponse> uploaded => uploaded,
            var refusal => (ProblemHttpResult)refusal,
        };
    }
}
