using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Headstart.Models;
using Headstart.Operations;
using Headstart.Training;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.NanoNets;

/// <summary>
/// The endpoints of NanoNets' image API, so that programs written for it work after changing only the host name. They translate requests to
/// the features of <c>/api/v1</c>. Each kind of model accepts every form of URL known to be in use: the model in the path, in the query
/// or in
/// the form, with or without a trailing slash. They are not in the OpenAPI document, since new programs should use <c>/api/v1</c>.
/// </summary>
public static class NanoNetsApi
{
    internal const string Root = "/api/v2";

    public static void MapNanoNets(this IEndpointRouteBuilder app)
    {
        var v2 = app.MapGroup(Root).RequireAuthorization().WithMetadata(new TakesBareKey()).ExcludeFromDescription();
        MapKind(v2.MapGroup("/ImageCategorization"), ModelKind.ImageClassification);
        MapKind(v2.MapGroup("/MultiLabelClassification"), ModelKind.MultiLabelImageClassification);
        v2.Map("/ObjectDetection/{**rest}", () => NotHere("Object detection"));
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
        async (HttpContext http, HeadstartDb db, Settings settings, TimeProvider clock, CancellationToken cancel) =>
    {
        var given = (await NanoRequest.ReadAsync(http.Request, settings, cancel)).All("categories");
        given = given is [var one] ? one.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : given;
        if (given.Count < MinCategories)
        {
            return NanoAnswer.Bad("Zero or one category", "The request has fewer than two categories. Send two or more, each in a field "
                + "named categories.");
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

    /// <summary>All image models of the account, of both kinds.</summary>
    private static async Task<IResult> List(HeadstartDb db, ClaimsPrincipal caller, CancellationToken cancel) =>
        NanoAnswer.Of(await db.ModelsOf(caller).Where(m => m.Kind != ModelKind.TextClassification).ReadAsync(db, cancel));

    private static Delegate Get(ModelKind kind) =>
        async (string? id, HttpContext http, HeadstartDb db, Settings settings, CancellationToken cancel) =>
    {
        var (model, error) = await FindAsync(kind, id, await NanoRequest.ReadAsync(http.Request, settings, cancel), db, http.User, cancel);
        return error ?? NanoAnswer.Of(await NanoState.ReadAsync(db, http.User, model!.Id, cancel));
    };

    private static Delegate Annotations(ModelKind kind) =>
        async (string? id, HttpContext http, HeadstartDb db, Settings settings, CancellationToken cancel) =>
    {
        var (model, error) = await FindAsync(kind, id, await NanoRequest.ReadAsync(http.Request, settings, cancel), db, http.User, cancel);
        if (model is null)
        {
            return error!;
        }

        var images = await db.Examples.Where(i => i.ModelId == model.Id).OrderBy(i => i.Id).Select(i => new NanoAnnotation(
            i.FileName, i.Labels.Join(db.Categories, l => l.CategoryId, c => c.Id, (_, c) => c.Name).OrderBy(name => name).ToList()))
            .ToListAsync(cancel);
        var now = await NanoState.ReadAsync(db, http.User, model.Id, cancel);
        return NanoAnswer.Of(new NanoAnnotations(images, new(now.Categories, now.State, now.Status)));
    };

    private static Delegate Upload(ModelKind kind) => async (
        string? id, HttpContext http, HeadstartDb db, NanoUpload upload, Settings settings, CancellationToken cancel) =>
    {
        var request = await NanoRequest.ReadAsync(http.Request, settings, cancel);
        var (model, error) = await FindAsync(kind, id, request, db, http.User, cancel);
        return error ?? await upload.AddAsync(http.User, model!, request, cancel);
    };

    /// <summary>A second call while a run is queued or running changes nothing; afterwards it trains again on the current images.</summary>
    private static Delegate Train(ModelKind kind) => async (
        string? id, HttpContext http, HeadstartDb db, RunStart start, Settings settings, CancellationToken cancel) =>
    {
        var (model, error) = await FindAsync(kind, id, await NanoRequest.ReadAsync(http.Request, settings, cancel), db, http.User, cancel);
        if (model is null)
        {
            return error!;
        }

        var training = await db.TrainingRuns.AnyAsync(r => r.ModelId == model.Id
            && (r.State == JobState.Queued || r.State == JobState.Running), cancel);
        try
        {
            _ = training ? null : await start.StartAsync(http.User, model.Id, new(), null, cancel);
        }
        catch (RefusedException e)
        {
            return e.Problem.StatusCode == StatusCodes.Status429TooManyRequests ? NanoAnswer.Of(e.Problem.ProblemDetails)
                : NanoAnswer.NotReady(e.Message);
        }

        return NanoAnswer.Of(await NanoState.ReadAsync(db, http.User, model.Id, cancel));
    };

    private static async Task<IResult> Label(string? id, HttpContext http, NanoLabelling labelling, Settings settings,
        CancellationToken cancel)
    {
        var request = await NanoRequest.ReadAsync(http.Request, settings, cancel);
        return IdOf(id, request, out var model) ?? await labelling.AnswerAsync(http, model, request, cancel);
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
                    + $"{Root}/{(model.Kind.TakesSeveral() ? "MultiLabelClassification" : "ImageCategorization")}/."));
    }

    /// <summary>The model that the path, the query and the form agree on.</summary>
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
        $"Headstart only classifies images here: use {Root}/ImageCategorization or {Root}/MultiLabelClassification.");
}
