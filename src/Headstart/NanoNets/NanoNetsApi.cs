using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Headstart.Models;
using Headstart.Training;
using Headstart.Uploads.Storing;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.NanoNets;

/// <summary>
/// The endpoints of NanoNets' image API, so that programs written for it work after changing only the host name. They translate requests to
/// the features of <c>/api/v1</c>. Each kind of model accepts every form of URL known to be in use: the model in the path, in the query or
/// in the form, with or without a trailing slash. They are not in the OpenAPI document, since new programs should use <c>/api/v1</c>.
/// </summary>
public static class NanoNetsApi
{
    internal const string Root = "/api/v2";

    public static void MapNanoNets(this IEndpointRouteBuilder app)
    {
        var v2 = app.MapGroup(Root).RequireAuthorization().WithMetadata(new TakesBareKey()).ExcludeFromDescription();
        MapKind(v2.MapGroup("/ImageCategorization"), ModelKind.ImageClassification);
        MapKind(v2.MapGroup("/MultiLabelClassification"), ModelKind.MultiLabelImageClassification);
        MapKind(v2.MapGroup("/ObjectDetection"), ModelKind.ObjectDetection);
        v2.Map("/OCR/{**rest}", () => NotHere("Reading text"));
    }

    private static void MapKind(RouteGroupBuilder type, ModelKind kind)
    {
        type.MapPost("/Model", Create(kind)).Spends(Quota.Models);
        type.MapGet("/Models", List);
        type.MapGet("/Model", Get(kind));
        type.MapGet("/Model/{id}", Get(kind));
        type.MapGet("/Model/{id}/Annotations", Annotations(kind));
        foreach (var prefix in new[] { "", "/Model/{id}" })
        {
            type.MapPost($"{prefix}/UploadFile", Upload(kind)).Spends(Quota.Images, Quota.Bytes);
            type.MapPost($"{prefix}/UploadFiles", Upload(kind)).Spends(Quota.Images, Quota.Bytes);
            type.MapPost($"{prefix}/UploadUrls", Upload(kind)).Spends(Quota.Images, Quota.Bytes);
            type.MapPost($"{prefix}/Train", Train(kind)).Spends(Quota.ConcurrentRuns);
            type.MapPost($"{prefix}/LabelFile", Label).Predicts();
            type.MapPost($"{prefix}/LabelFiles", Label).Predicts();
            type.MapPost($"{prefix}/LabelUrls", Label).Predicts();
        }
    }

    private static Delegate Create(ModelKind kind) =>
        async (HttpContext http, HeadstartDb db, NanoRequests requests, TimeProvider clock, CancellationToken cancel) =>
    {
        var given = (await requests.ReadAsync(http.Request, cancel)).All("categories");
        given = given is [var one] ? one.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : given;
        if (given.Count < (kind.HasBoxes() ? 1 : MinCategories))
        {
            return kind.HasBoxes() ? NanoAnswer.Bad("Zero categories", "The request has no category. Send one or more in a list named "
                + "categories.") : NanoAnswer.Bad("Zero or one category", "The request has fewer than two categories. Send two or more, "
                + "each in a field named categories.");
        }

        if (NewModels.ReadCategories([.. given], out var categories) is { } refusal)
        {
            return NanoAnswer.Of(refusal.ProblemDetails);
        }

        // Models have no name in NanoNets, but need one here.
        var name = $"NanoNets {Guid.CreateVersion7()}";
        var model = NewModels.Of(http.User.AccountId(), name, kind, categories, clock.Now());
        return await NewModels.AddAsync(db, model, cancel) is { } taken
            ? NanoAnswer.Of(taken.ProblemDetails)
            : NanoAnswer.Of(await NanoState.ReadAsync(db, http.User, model.Id, cancel));
    };

    /// <summary>All image models of the account, of all kinds.</summary>
    private static async Task<IResult> List(HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        NanoAnswer.Of(await db.ModelsOf(caller).Where(m => m.Kind != ModelKind.TextClassification).ReadAsync(db, cancel));

    private static Delegate Get(ModelKind kind) =>
        async (string? id, HttpContext http, HeadstartDb db, NanoRequests requests, CancellationToken cancel) =>
    {
        var (model, error) = await FindAsync(kind, id, await requests.ReadAsync(http.Request, cancel), db, http.User, cancel);
        return error ?? NanoAnswer.Of(await NanoState.ReadAsync(db, http.User, model!.Id, cancel));
    };

    private static Delegate Annotations(ModelKind kind) =>
        async (string? id, HttpContext http, HeadstartDb db, NanoRequests requests, CancellationToken cancel) =>
    {
        var (model, error) = await FindAsync(kind, id, await requests.ReadAsync(http.Request, cancel), db, http.User, cancel);
        if (model is null)
        {
            return error!;
        }

        var names = model.Categories.ToDictionary(c => c.Id, c => c.Name);
        var images = (await db.Examples.AsNoTracking().WithLabels(kind).Where(i => i.ModelId == model.Id).OrderBy(i => i.Id)
            .ToListAsync(cancel)).ConvertAll(image => AnnotationOf(image, names));
        var now = await NanoState.ReadAsync(db, http.User, model.Id, cancel);
        return NanoAnswer.Of(new NanoAnnotations(images, new(now.Categories, now.State, now.Status)));
    };

    private static NanoAnnotation AnnotationOf(Example image, Dictionary<Guid, string> names)
    {
        List<string> categories = [.. image.Labels.Select(label => names.GetValueOrDefault(label.CategoryId, "")).Order()];
        List<NanoObject>? objects = !image.BoxesKnown ? null : [.. image.Boxes.OrderBy(box => box.Position).Select(box => new NanoObject(
            names.GetValueOrDefault(box.CategoryId, ""), new(Pixel(box.X, image.Width), Pixel(box.Y, image.Height),
                Pixel(box.X + box.Width, image.Width), Pixel(box.Y + box.Height, image.Height))))];
        return new(image.FileName, categories, objects);

        static int Pixel(float part, int pixels) => (int)Math.Round(part * pixels);
    }

    private static Delegate Upload(ModelKind kind) => async (
        string? id, HttpContext http, HeadstartDb db, NanoUpload upload, NanoRequests requests, CancellationToken cancel) =>
    {
        var request = await requests.ReadAsync(http.Request, cancel);
        var (model, error) = await FindAsync(kind, id, request, db, http.User, cancel);
        return error ?? await upload.AddAsync(http.User, model!, request, cancel);
    };

    /// <summary>A second call while a run is queued or running changes nothing; afterwards it trains again on the current images.</summary>
    private static Delegate Train(ModelKind kind) => async (
        string? id, HttpContext http, HeadstartDb db, RunStart start, NanoRequests requests, CancellationToken cancel) =>
    {
        var (model, error) = await FindAsync(kind, id, await requests.ReadAsync(http.Request, cancel), db, http.User, cancel);
        if (model is null)
        {
            return error!;
        }

        // Of concurrent calls one starts a run: they know of the same last run, and a key starts only one.
        var last = await db.TrainingRuns.Where(r => r.ModelId == model.Id).OrderByDescending(r => r.Id).Select(r => (Guid?)r.Id)
            .FirstOrDefaultAsync(cancel);
        var training = await db.TrainingRuns.AnyAsync(r => r.ModelId == model.Id
            && (r.State == JobState.Queued || r.State == JobState.Running), cancel);
        try
        {
            _ = training ? null : await start.StartAsync(http.User, model.Id, new(), $"after {last}", cancel);
        }
        catch (RefusedException e)
        {
            return e.Problem.StatusCode == StatusCodes.Status429TooManyRequests ? NanoAnswer.Of(e.Problem.ProblemDetails)
                : NanoAnswer.NotReady(e.Message);
        }

        return NanoAnswer.Of(await NanoState.ReadAsync(db, http.User, model.Id, cancel));
    };

    private static async Task<IResult> Label(string? id, HttpContext http, NanoPredictor predictor, NanoRequests requests,
        CancellationToken cancel)
    {
        var request = await requests.ReadAsync(http.Request, cancel);
        return IdOf(id, request, out var model) ?? await predictor.AnswerAsync(http, model, request, cancel);
    }

    private static async Task<(Model? Model, IResult? Error)> FindAsync(
        ModelKind kind, string? id, NanoRequest request, HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel)
    {
        if (IdOf(id, request, out var named) is { } error)
        {
            return (null, error);
        }

        var model = await db.ModelsOf(caller).Include(m => m.Categories).AsNoTracking().SingleOrDefaultAsync(m => m.Id == named, cancel);
        return model is null ? (null, NanoAnswer.NoSuchModel())
            : model.Kind == kind ? (model, null)
            : model.Kind.IsText() ? (null, NanoAnswer.OfTexts(model.Id))
            : (null, NanoAnswer.Error(StatusCodes.Status404NotFound, "Model not found",
                $"The model is of the type {NanoState.TypeOf(model.Kind)}; its endpoints begin with "
                    + $"{Root}/{PathOf(model.Kind)}/."));
    }

    private static string PathOf(ModelKind kind) => kind.HasBoxes() ? "ObjectDetection"
        : kind.TakesSeveral() ? "MultiLabelClassification" : "ImageCategorization";

    /// <summary>Reads the model that the path, the query and the form agree on.</summary>
    private static IResult? IdOf(string? path, NanoRequest request, out Guid id)
    {
        var ids = request.ModelIds.Concat(path is null ? [] : [path]).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        id = default;
        return ids is [] ? NanoAnswer.Bad("Model id missing", "Name the model: send its id in the path, or in a field or query parameter "
            + "named modelId.")
            : ids.Count > 1 ? NanoAnswer.Bad("Model ids differ", $"The request names several models: {string.Join(", ", ids.Take(5))}.")
            : Guid.TryParse(ids[0], out id) ? null
            : NanoAnswer.NoSuchModel();
    }

    private static IResult NotHere(string what) => NanoAnswer.Error(StatusCodes.Status501NotImplemented, $"{what} is not supported",
        $"Headstart classifies images here and finds objects: use {Root}/ImageCategorization, {Root}/MultiLabelClassification or "
            + $"{Root}/ObjectDetection.");
}
