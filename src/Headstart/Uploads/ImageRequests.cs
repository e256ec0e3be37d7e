using System.Runtime.CompilerServices;
using Headstart.Data;
using Headstart.Uploads.Archives;
using Headstart.Uploads.Bodies;
using Headstart.Uploads.Files;
using Headstart.Uploads.Imports;
using Headstart.Uploads.Storing;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Uploads;

/// <summary>Requests that upload images: answered immediately, or with an import if that would take too long.</summary>
internal sealed class ImageRequests(ImageUpload upload, ImportIntake imports, DataPaths paths, Settings settings)
{
    /// <param name="model">Receives the images.</param>
    /// <param name="request">A form, an archive, or a list.</param>
    /// <param name="background">Whether to create an import; null lets the upload decide.</param>
    /// <param name="key">Idempotency key of an import: the same key returns the import it created.</param>
    public async Task<Results<Ok<UploadResponse>, Accepted<ImportProgress>, ProblemHttpResult>> TakeAsync(
        Model model, HttpRequest request, bool? background, string? key, CancellationToken cancel)
    {
        if (await imports.FindAsync(model.Id, key, cancel) is { } before)
        {
            return Accepted(before);
        }

        if (UploadBody.KindOf(request.ContentType) is not { } kind)
        {
            return UnknownKind();
        }

        return kind == UploadKind.Form && background is not true
            ? OrImport(await FormAsync(model, request, confirmed: false, cancel))
            : await BodyAsync(model, request, kind, background, key, cancel);
    }

    /// <summary>Takes examples whose labels a user confirms; answered at once.</summary>
    /// <param name="model">Receives the images; with its categories.</param>
    /// <param name="request">A form, an archive, or a list.</param>
    public async Task<Results<Ok<UploadResponse>, ProblemHttpResult>> FeedbackAsync(Model model, HttpRequest request,
        CancellationToken cancel)
    {
        if (UploadBody.KindOf(request.ContentType) is not { } kind)
        {
            return UnknownKind();
        }

        if (kind == UploadKind.Form)
        {
            return await FormAsync(model, request, confirmed: true, cancel);
        }

        using var body = await OpenAsync(model, kind, request.ContentType!, request.Body, cancel);
        return body.Count > settings.Uploads.MaxFiles
            ? Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-many-files", $"One request of feedback may have "
                + $"{settings.Uploads.MaxFiles:N0} files (Headstart:Uploads:MaxFiles); send the rest in another request.")
            : Answer(await AddAsync(model, body, confirmed: true, cancel));
    }

    /// <summary>Uploads too long for one request become imports: large ones, and those with many URLs.</summary>
    private async Task<Results<Ok<UploadResponse>, Accepted<ImportProgress>, ProblemHttpResult>> BodyAsync(
        Model model, HttpRequest request, UploadKind kind, bool? background, string? key, CancellationToken cancel)
    {
        var limits = settings.Uploads;
        var contentType = request.ContentType!;
        using var body = await OpenAsync(model, kind, contentType, request.Body, cancel);
        if (background ?? (body.Urls > limits.AtOnceUrls || body.Count > limits.AtOnceFiles || body.Length > limits.AtOnceBytes))
        {
            return await imports.StartAsync(model, contentType, body, key, cancel) is { } import ? Accepted(import)
                : Problems.NoSuchModel();
        }

        return body.Count > limits.MaxFiles
            ? Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-many-files", "A request that is answered at "
                + $"once may have {limits.MaxFiles:N0} files (Headstart:Uploads:MaxFiles); send it as an import: POST it to a path below "
                + $"/api/v1/models/{model.Id}/imports, such as imports/archive.")
            : OrImport(Answer(await AddAsync(model, body, confirmed: false, cancel)));
    }

    private async Task<UploadResponse> AddAsync(Model model, UploadBody body, bool confirmed, CancellationToken cancel)
    {
        var answer = await upload.AddAsync(model, body.ReadAsync(0, 0, cancel), confirmed, cancel);
        return answer with { Notices = [.. body.Notices, .. answer.Notices] };
    }

    /// <summary>Reads a form as a stream: files that arrived complete are kept, even if the rest fails.</summary>
    private async Task<Results<Ok<UploadResponse>, ProblemHttpResult>> FormAsync(
        Model model, HttpRequest request, bool confirmed, CancellationToken cancel)
    {
        var limits = settings.Uploads;
        var leftOut = new SystemFiles();
        var parts = UploadReader.LabelledAsync(request.Body, RequestBodies.Boundary(request)!, limits.MaxFileBytes,
            (limits.MaxRows, model.Kind), leftOut, cancel);
        var files = new Counted(parts, limits.MaxFiles);
        var answer = await upload.AddAsync(model, files.ReadAsync(cancel), confirmed, cancel);
        answer = answer with { Notices = [.. leftOut.Notices, .. answer.Notices] };
        return files.TooMany ? Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-many-files",
                $"One request may have {limits.MaxFiles:N0} files (Headstart:Uploads:MaxFiles). The files before the limit were processed "
                + $"({answer.Accepted.Count:N0} accepted); send the rest in another request"
                + (confirmed ? "." : ", or all of them with ?async=true as an import."), // feedback cannot become an import
                ("accepted", answer.Accepted.Count), ("rejected", answer.Rejected.Take(100)))
            : Answer(answer);
    }

    /// <summary>Spools the body and inspects it as a whole.</summary>
    private async Task<UploadBody> OpenAsync(Model model, UploadKind kind, string contentType, Stream body, CancellationToken cancel)
    {
        var limits = settings.Uploads;
        var (max, setting) = kind is UploadKind.Zip or UploadKind.Form ? (limits.MaxZipBytes, "MaxZipBytes")
            : (limits.MaxManifestBytes, "MaxManifestBytes");
        var spool = await Spool.TakeAsync(body, paths.Spool, max, cancel)
            ?? throw new RefusedException(StatusCodes.Status413PayloadTooLarge, "too-large",
            $"The body is larger than {max:N0} bytes (Headstart:Uploads:{setting}); send it in parts.");
        return await UploadBody.OpenAsync(contentType, spool, model.Kind, [.. model.Categories.Select(c => c.Name)], limits, cancel);
    }

    /// <summary>Plans what <see cref="TakeAsync"/> would do, without storing anything.</summary>
    /// <param name="model">Would receive the images; with its categories.</param>
    /// <param name="request">A form, an archive, a list, or JSON with the names of files including folders.</param>
    public async Task<Results<Ok<UploadPlan>, ProblemHttpResult>> PlanAsync(Model model, HttpRequest request, CancellationToken cancel)
    {
        if (UploadBody.KindOf(request.ContentType) is not { } kind)
        {
            return UnknownKind();
        }

        using var body = await OpenAsync(model, kind, request.ContentType!, request.Body, cancel);
        if (body is ManifestBody { Names: { } names })
        {
            return TypedResults.Ok(await PlanAsync(model, names, cancel));
        }

        var limits = settings.Uploads;
        var many = body.Count > limits.AtOnceFiles || body.Length > limits.AtOnceBytes;
        var files = many ? body.NamesAsync(cancel) : body.ReadAsync(0, 0, cancel);
        return TypedResults.Ok((await upload.PlanAsync(model, files, cancel)).Plan(body.Notices));
    }

    /// <summary>Plans files that have not been sent yet, by their folders, for a page that uploads a folder.</summary>
    private async Task<UploadPlan> PlanAsync(Model model, IReadOnlyList<string> names, CancellationToken cancel)
    {
        var systems = new SystemFiles();
        var own = names.Select(name => systems.Take(name) ? null : name).ToList();
        string[] sent = [.. own.OfType<string>()];
        var paths = new FolderPaths(sent);
        if (Array.Find(sent, name => ManifestLabels.IsTable(paths.Below(name)) || AnnotationLabels.IsTable(name)) is { } table)
        {
            throw RefusedException.Invalid("table-in-folder", $"\"{RequestBodies.Readable(table)}\" may say what the images show, and is "
                + "read only together with them: put the folder into a zip archive and send that, or take the file out of the folder.");
        }

        Func<string, UploadedFile> named = model.Kind.HasBoxes() ? new SideFolders(sent).Named
            : new FolderLabels(sent, [.. model.Categories.Select(c => c.Name)]).Named;
        var files = own.ConvertAll(name => name is null ? null : named(name));
        var sum = await upload.PlanAsync(model, files.OfType<UploadedFile>().ToAsyncEnumerable(), cancel);
        return sum.Plan([.. systems.Notices], [.. files.Zip(names, (file, name) => new PlannedFile(name, file?.Categories ?? [],
            file?.Split, file is null ? "system-file" : file.Unusable?.Reason))]);
    }

    private static Results<Ok<UploadResponse>, ProblemHttpResult> Answer(UploadResponse answer) =>
        answer.Accepted.Count > 0 ? TypedResults.Ok(answer)
        : answer.Rejected.Count == 0 ? Problems.Invalid("no-files", answer.Notices.Count > 0 ? $"Nothing was added. {answer.Notices[0]}"
            : "The form has no part named file, so nothing was added.")
        : answer.Exceeded is { } exceeded
            ? exceeded.Problem(("accepted", answer.Accepted), ("rejected", answer.Rejected), ("notices", answer.Notices))
        : Problems.Of(StatusCodes.Status422UnprocessableEntity, "nothing-accepted", "None of the files could be used. The first one: "
            + $"{answer.Rejected[0].Detail}",
            ("accepted", answer.Accepted), ("rejected", answer.Rejected), ("notices", answer.Notices));

    private static Results<Ok<UploadResponse>, Accepted<ImportProgress>,
        ProblemHttpResult> OrImport(Results<Ok<UploadResponse>, ProblemHttpResult> answer) =>
        answer.Result is Ok<UploadResponse> ok ? ok : (ProblemHttpResult)answer.Result;

    private static Accepted<ImportProgress> Accepted(Import import) =>
        TypedResults.Accepted($"/api/v1/models/{import.ModelId}/imports/{import.Id}", ImportProgress.Of(import));

    private static ProblemHttpResult UnknownKind() => Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
        "Send multipart/form-data with a boundary and the files in parts named file (curl -F category=cats -F file=@cat.jpg), an archive "
            + "as application/zip "
        + "(curl --data-binary @photos.zip -H 'Content-Type: application/zip'), or a list of images as application/json, "
        + "application/x-ndjson or text/csv.");

    /// <summary>Stops reading after the given number of files and remembers that there were more.</summary>
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
