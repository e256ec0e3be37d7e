using System.ComponentModel;
using System.Runtime.CompilerServices;
using Headstart.Access;
using Headstart.Data;
using Headstart.Operations;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <summary>Images on their way in: answered at once, or with an import where that would take too long.</summary>
public static class UploadsApi
{
    private static readonly Dictionary<string, string> Fields = new() { ["category"] = "cats" };

    public static void MapUploads(this RouteGroupBuilder api)
    {
        api.MapPost("/models/{id:guid}/images", Upload).WithTags("Images").Spends(Quota.Images, Quota.Bytes).Named("addImages", "Add labelled images",
                "Step 2 of the main job. The body is one of these. A form: put a field named category before the files it applies to, in a multi-label model as many "
                + "as they show, or an empty one; or a part named manifest, a table or JSON Lines that says what the files show. A zip archive: its folders are "
                + "the categories, folders train, val and test above them are kept, and a labels.csv or labels.jsonl at its top takes their place. JSON, JSON "
                + "Lines or a table (CSV): each row has the url of an image, or in JSON its base64, and its category; several categories stand in a cell with | "
                + "between them.\n\n"
                + "Files that cannot be used are listed with the reason; the others are kept. Sending a file again adds nothing: it is accepted as alreadyThere. "
                + "What is large, or has more than a few addresses, is answered with 202 and an import that goes on in the background; ?async=true or false decides otherwise.")
            .WithMetadata(new FileForm(Fields, RawImage: false, Zip: true, Json: typeof(NewImagesRequest), Manifests: true))
            .WithMetadata(new BodyExample("""{"images":[{"url":"https://example.com/cat.jpg","category":"cats"}]}"""))
            .Produces<UploadResponse>().Refuses(400, 401, 404, 413, 415, 422, 507).ForImages("send texts to {0}/texts");
        api.MapPost("/models/{id:guid}/feedback", Feedback).WithTags("Images").Spends(Quota.Images, Quota.Bytes).Named("giveFeedback", "Send a prediction back with the right label",
                "A form as for adding images: a field named category, the right one, then the files that were predicted wrongly. They become labelled "
                + "images whose category counts as confirmed; one that the model has in another category is moved. The next training run learns from them. "
                + "A text model takes JSON with the text and its category, and answers as adding texts does.")
            .WithMetadata(new FileForm(Fields, RawImage: false, Json: typeof(LabelledText)))
            .WithMetadata(new AlsoAnswers(typeof(TakenTexts))).Produces<UploadResponse>().Refuses(400, 401, 404, 413, 415, 422, 507);
    }

    private static async Task<Results<Ok<UploadResponse>, Accepted<ImportProgress>, ProblemHttpResult>> Upload(
        Guid id, HttpContext http,
        [FromHeader(Name = "Idempotency-Key")][Description("Of an import: sending the same key again gives the one it made before.")] string? idempotencyKey,
        [FromQuery(Name = "async")][Description("Whether to answer with an import; otherwise what is sent decides.")] bool? background,
        HeadstartDb db, ImageUpload upload, ImportIntake imports, DataPaths paths, Settings settings, CancellationToken cancel)
    {
        // The request as a whole may be large: it is read with limits of its own.
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        if (await db.ModelsOf(http.User).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        if (idempotencyKey is { Length: 0 or > 200 })
        {
            return Problems.InvalidIdempotencyKey();
        }

        if (await imports.FindAsync(id, idempotencyKey, cancel) is { } before)
        {
            return Accepted(before);
        }

        if (UploadBody.KindOf(http.Request.ContentType) is not { } kind)
        {
            return UnknownKind();
        }

        try
        {
            return kind == UploadKind.Form && background is not true
                ? OrImport(await FormAsync(model, http.Request, upload, settings.Uploads, manifests: true, confirmed: false, cancel))
                : await BodyAsync(model, http.Request, kind, background, idempotencyKey, upload, imports, paths, settings.Uploads, cancel);
        }
        catch (UploadRefusedException e)
        {
            return e.Problem();
        }
    }

    /// <summary>What takes longer than a request should becomes an import: what is large, and what has much to be fetched.</summary>
    private static async Task<Results<Ok<UploadResponse>, Accepted<ImportProgress>, ProblemHttpResult>> BodyAsync(
        Model model, HttpRequest request, UploadKind kind, bool? background, string? key, ImageUpload upload, ImportIntake imports, DataPaths paths,
        UploadSettings limits, CancellationToken cancel)
    {
        var contentType = request.ContentType!;
        using var body = await TakeAsync(kind, contentType, request.Body, paths, limits, cancel);
        if (background ?? (body.Urls > limits.AtOnceUrls || body.Count > limits.AtOnceFiles || body.Length > limits.AtOnceBytes))
        {
            return await imports.StartAsync(model.Id, contentType, body.Stream, body.Count, key, cancel) is { } import ? Accepted(import) : Problems.NoSuchModel();
        }

        return body.Count > limits.MaxFiles
            ? Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-many-files", $"A request that is answered at once may have {limits.MaxFiles:N0} files "
                + "(Headstart:Uploads:MaxFiles); leave async=false out, and it becomes an import.")
            : OrImport(Answer(await upload.AddAsync(model, body.ReadAsync(0, 0, cancel), confirmed: false, cancel)));
    }

    private static async Task<Results<Ok<TakenTexts>, Ok<UploadResponse>, ProblemHttpResult>> Feedback(
        Guid id, HttpContext http, HeadstartDb db, ImageUpload upload, [FromServices] TextFeedback texts, Settings settings, CancellationToken cancel)
    {
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        if (await db.ModelsOf(http.User).SingleOrDefaultAsync(m => m.Id == id, cancel) is not { } model)
        {
            return Problems.NoSuchModel();
        }

        IResult answer = model.Kind.IsText() ? (await texts.TakeAsync(model, http.Request, cancel)).Result
            : RequestBodies.Boundary(http.Request) is null ? Problems.NotMultipart()
            : (await FormAsync(model, http.Request, upload, settings.Uploads, manifests: false, confirmed: true, cancel)).Result;
        return answer switch
        {
            Ok<TakenTexts> taken => taken,
            Ok<UploadResponse> uploaded => uploaded,
            var refusal => (ProblemHttpResult)refusal,
        };
    }

    /// <summary>A form is read as it comes: what came whole is kept, whatever becomes of the rest.</summary>
    private static async Task<Results<Ok<UploadResponse>, ProblemHttpResult>> FormAsync(
        Model model, HttpRequest request, ImageUpload upload, UploadSettings limits, bool manifests, bool confirmed, CancellationToken cancel)
    {
        var files = new Counted(UploadReader.ReadAsync(request.Body, RequestBodies.Boundary(request)!, limits.MaxFileBytes, manifests ? limits.MaxRows : null, cancel), limits.MaxFiles);
        var answer = await upload.AddAsync(model, files.ReadAsync(cancel), confirmed, cancel);
        return files.TooMany ? Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-many-files",
                $"One request may have {limits.MaxFiles} files (Headstart:Uploads:MaxFiles). Those before the limit were taken ({answer.Accepted.Count} accepted); "
                + "send the others in another request, or all with ?async=true as an import.",
                ("accepted", answer.Accepted.Count), ("rejected", answer.Rejected.Take(100)))
            : Answer(answer);
    }

    /// <summary>Spools the body and looks at it as a whole.</summary>
    private static async Task<UploadBody> TakeAsync(
        UploadKind kind, string contentType, Stream body, DataPaths paths, UploadSettings limits, CancellationToken cancel)
    {
        var (max, setting) = kind is UploadKind.Zip or UploadKind.Form ? (limits.MaxZipBytes, "MaxZipBytes") : (limits.MaxManifestBytes, "MaxManifestBytes");
        var spool = await Spool.TakeAsync(body, paths.Spool, max, cancel) ?? throw new UploadRefusedException(StatusCodes.Status413PayloadTooLarge, "too-large",
            $"The body is larger than {max:N0} bytes (Headstart:Uploads:{setting}); send it in parts.");
        try
        {
            return await UploadBody.OpenAsync(contentType, spool, limits, cancel);
        }
        catch
        {
            await spool.DisposeAsync();
            throw;
        }
    }

    private static Results<Ok<UploadResponse>, ProblemHttpResult> Answer(UploadResponse answer) => answer.Accepted.Count > 0 ? TypedResults.Ok(answer)
        : answer.Rejected.Count == 0 ? Problems.Invalid("no-files", "The form has no part named file, so there was nothing to add.")
        : answer.Exceeded is { } exceeded ? exceeded.Problem(("accepted", answer.Accepted), ("rejected", answer.Rejected))
        : Problems.Of(StatusCodes.Status422UnprocessableEntity, "nothing-accepted", $"None of the files could be used; the first one: {answer.Rejected[0].Detail}",
            ("accepted", answer.Accepted), ("rejected", answer.Rejected));

    private static Results<Ok<UploadResponse>, Accepted<ImportProgress>, ProblemHttpResult> OrImport(Results<Ok<UploadResponse>, ProblemHttpResult> answer) =>
        answer.Result is Ok<UploadResponse> ok ? ok : (ProblemHttpResult)answer.Result;

    private static Accepted<ImportProgress> Accepted(Import import) =>
        TypedResults.Accepted($"/api/v1/models/{import.ModelId}/imports/{import.Id}", ImportProgress.Of(import));

    private static ProblemHttpResult UnknownKind() => Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
        "Send multipart/form-data with a boundary and the files in parts named file (curl -F category=cats -F file=@cat.jpg), an archive as application/zip "
        + "(curl --data-binary @photos.zip -H 'Content-Type: application/zip'), or a list of images as application/json, application/x-ndjson or text/csv.");

    /// <summary>Ends the reading after so many files, and remembers that there were more.</summary>
    private sealed class Counted(IAsyncEnumerable<UploadedFile> files, int limit)
    {
        public bool TooMany { get; private set; }

        public async IAsyncEnumerable<UploadedFile> ReadAsync([EnumeratorCancellation] CancellationToken cancel)
        {
            var count = 0;
            await foreach (var file in files.WithCancellation(cancel))
            {
                if (++count > limit)
                {
                    TooMany = true;
                    yield break;
                }

                yield return file;
            }
        }
    }
}
