using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Headstart.Access;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.OpenInference;

/// <summary>
/// The Open Inference Protocol, version 2, so that standard clients and gateways can predict. A model is given by its id or name; errors
/// are <c>{"error": "…"}</c>, as the protocol requires. <see cref="GrpcInference"/> offers the same over gRPC.
/// </summary>
public static partial class OpenInferenceApi
{
    internal const string Root = "/v2";
    private const string Platform = "headstart";
    private const string ByName = "The model is given by its id or its name, in which slashes may be escaped (%2F) or not.";
    private const string HowToInfer = "Send one input named image: BYTES [n], each a file in base64, or UINT8 [h, w, 3] or [n, h, w, 3], "
        + "pixels in red, green and blue. For a text model send one input named text: BYTES [n], each a text. A detection model "
        + "answers with one element for each object it finds, in all images together: boxes [m, 4] (x, y, width, height, relative to the "
        + "upright image), scores [m], labels [m], and image [m], the index of the object's image. Binary tensors are supported: the "
        + "header Inference-Header-Content-Length has the length of the JSON before them; with 0 the whole body is one image or text.";

    internal static ServerMetadata Server { get; } = new(Platform, typeof(OpenInferenceApi)
        .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0], ["binary_tensor_data"]);

    public static void MapOpenInference(this IEndpointRouteBuilder app, Settings settings)
    {
        GrpcInference.Map(app, settings);
        var v2 = app.MapGroup(Root).WithTags("Open Inference Protocol");
        v2.MapGet("/", () => TypedResults.Ok(Server))
            .AllowAnonymous().DisableRateLimiting().Named("oipServer", "Get server metadata", "Needs no key.");
        v2.MapGet("/health/live", () => TypedResults.Ok(new ServerLive(true))).AllowAnonymous().DisableRateLimiting()
            .Named("oipLive", "Check that the server is live", "Needs no key.");
        v2.MapGet("/health/ready", Ready).AllowAnonymous().DisableRateLimiting()
            .Named("oipReady", "Check that the server is ready", "Needs no key. If it is not ready, GET /health/ready says why.")
            .Produces<ServerReady>(503);
        v2.MapPost("/repository/index", Index).RequireAuthorization().Needs(Scope.Read)
            .Named("oipIndex", "List your models", "As Triton lists its repository.").Fails(400, 413, 415)
            .WithMetadata(new BodyExample("""{"ready":true}"""));
        var models = v2.MapGroup("/models/{model}").RequireAuthorization();
        models.MapGet("/", (string model, HttpContext http, HeadstartDb db, [FromServices] NamedVersions versions,
            CancellationToken cancel) => Metadata(model, null, http, db, versions, cancel))
            .Named("oipModel", "Get the inputs and outputs of a model", ByName).Fails(404, 409);
        models.MapGet("/ready", (string model, HttpContext http, [FromServices] NamedVersions versions, CancellationToken cancel) =>
            IsReady(model, null, http, versions, cancel))
            .Named("oipModelReady", "Check that a model is ready", "Answers 200 if the model has a usable version.").Fails(404, 409);
        models.MapGet("/config", (string model, HttpContext http, HeadstartDb db, [FromServices] NamedVersions versions,
            CancellationToken cancel) => Config(model, null, http, db, versions, cancel))
            .Named("oipConfig", "Get a model's configuration", $"As Triton describes a model. {ByName}").Fails(404, 409);
        models.MapPost("/infer", (string model, HttpContext http, [FromServices] NamedVersions versions,
            [FromServices] TensorAnswers answers, Settings settings, CancellationToken cancel) =>
            Infer(model, null, http, versions, answers, settings, cancel)).Named("oipInfer", "Predict", HowToInfer).TakesTensors();
        models.MapGet("/versions/{version}", Metadata)
            .Named("oipVersion", "Get the inputs and outputs of a version", ByName).Fails(404, 409);
        models.MapGet("/versions/{version}/ready", IsReady).Named("oipVersionReady", "Check that a version is ready", "Answers 200 if "
            + "the version can predict.").Fails(404, 409);
        models.MapGet("/versions/{version}/config", Config)
            .Named("oipVersionConfig", "Get a version's configuration", $"As Triton describes a model. {ByName}").Fails(404, 409);
        models.MapPost("/versions/{version}/infer", Infer).Named("oipVersionInfer", "Predict with a version", HowToInfer).TakesTensors();

        // Names with slashes that are not escaped, as tritonclient sends them.
        var slashed = v2.MapGroup("/models/{**path}").RequireAuthorization().ExcludeFromDescription();
        slashed.MapGet("", AskSlashed);
        slashed.MapPost("", InferSlashed).Predicts();
    }

    private static RouteHandlerBuilder TakesTensors(this RouteHandlerBuilder infer) =>
        infer.Predicts().Accepts<InferRequest>("application/json", "*/*").Fails(400, 404, 409, 413, 415, 503).WithMetadata(new BodyExample("""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["iVBORw0KGgo="]}]}"""));

    /// <summary>Declares errors in the protocol's format; errors from outside these handlers have it, too.</summary>
    private static RouteHandlerBuilder Fails(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses)
        {
            endpoint.Produces<InferError>(status);
        }

        return endpoint.Produces<InferError>(401);
    }

    internal static async Task<Results<Ok<ServerReady>, JsonHttpResult<ServerReady>>> Ready(
        HeadstartDb db, LoadedBackbones loaded, BlobHealth blobs, IHostApplicationLifetime lifetime, CancellationToken cancel) =>
        await HealthApi.WhyNotReadyAsync(db, loaded, blobs, lifetime, cancel) is null ? TypedResults.Ok(new ServerReady(true))
            : TypedResults.Json(new ServerReady(false), statusCode: StatusCodes.Status503ServiceUnavailable);

    internal static async Task<Results<Ok<ModelMetadata>, JsonHttpResult<InferError>>> Metadata(
        string model, string? version, HttpContext http, HeadstartDb db, [FromServices] NamedVersions versions, CancellationToken cancel)
    {
        var found = await versions.FindAsync(http.User, model, version, cancel);
        if (found.Served is not { } served)
        {
            return found.Error!;
        }

        var numbers = await db.Versions.Where(v => v.ModelId == found.Model).OrderByDescending(v => v.Number).Select(v => v.Number)
            .ToListAsync(cancel);
        return TypedResults.Ok(new ModelMetadata(found.Name, [.. numbers.Select(n => n.ToString(CultureInfo.InvariantCulture))], Platform,
            [new(RequestReader.Input(served.ReadsTexts), "BYTES", [-1])], TensorAnswers.Describe(served), new(served.Labels)));
    }

    internal static async Task<Results<Ok<ModelConfig>, JsonHttpResult<InferError>>> Config(
        string model, string? version, HttpContext http, HeadstartDb db, [FromServices] NamedVersions versions, CancellationToken cancel)
    {
        var metadata = await Metadata(model, version, http, db, versions, cancel);
        return metadata.Result is not Ok<ModelMetadata> { Value: { } known } ? (JsonHttpResult<InferError>)metadata.Result
            : TypedResults.Ok(new ModelConfig(known.Name, Platform, Platform, MaxBatchSize: 0, [.. known.Inputs.Select(Tensor)],
                [.. known.Outputs.Select(Tensor)], new Dictionary<string, ConfigParameter>
                {
                    ["labels"] = new(JsonSerializer.Serialize(known.Parameters.Labels, Json.Options)),
                }));

        static TensorConfig Tensor(TensorMetadata tensor) =>
            new(tensor.Name, tensor.Datatype == "BYTES" ? "TYPE_STRING" : $"TYPE_{tensor.Datatype}", tensor.Shape);
    }

    internal static async Task<Results<Ok<ModelReady>, JsonHttpResult<InferError>>> IsReady(
        string model, string? version, HttpContext http, [FromServices] NamedVersions versions, CancellationToken cancel)
    {
        var found = await versions.FindAsync(http.User, model, version, cancel);
        return found.Error is { } error ? error : TypedResults.Ok(new ModelReady(found.Name, true));
    }

    internal static async Task<Ok<List<IndexedModel>>> Index(
        IndexRequest? request, HttpContext http, HeadstartDb db, CancellationToken cancel)
    {
        var models = await db.ModelsOf(http.User).Where(m => request == null || !request.Ready || m.PublishedVersion != null)
            .OrderBy(m => m.Name).Select(m => new { m.Name, m.PublishedVersion }).ToListAsync(cancel);
        return TypedResults.Ok(models.ConvertAll(m => m.PublishedVersion is { } version
            ? new IndexedModel(m.Name, version.ToString(CultureInfo.InvariantCulture), "READY", "")
            : new IndexedModel(m.Name, null, "UNAVAILABLE", Problems.NoPublishedVersion().ProblemDetails.Detail!)));
    }

    private static async Task<Results<Ok<InferResponse>, JsonHttpResult<InferError>>> Infer(
        string model, string? version, HttpContext http, [FromServices] NamedVersions versions, [FromServices] TensorAnswers answers,
        Settings settings, CancellationToken cancel)
    {
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = RequestReader.MaxBytes(settings);
        var found = await versions.FindAsync(http.User, model, version, cancel);
        if (found.Served is null)
        {
            return found.Error!;
        }

        var (request, elements, wrong) = await new RequestReader(settings, found.Served.ReadsTexts)
            .ReadAsync(http.Request, cancel);
        return request is null ? Refuse(StatusCodes.Status400BadRequest, wrong!)
            : await answers.AnswerAsync(http, found, request, elements, cancel);
    }

    private static async Task<IResult> AskSlashed(
        string path, HttpContext http, HeadstartDb db, [FromServices] NamedVersions versions, CancellationToken cancel)
    {
        var parts = Slashed().Match(path);
        var (model, version) = (parts.Groups["model"].Value, parts.Groups["version"].Value);
        return parts.Groups["what"].Value switch
        {
            "ready" => await IsReady(model, version, http, versions, cancel),
            "config" => await Config(model, version, http, db, versions, cancel),
            _ => await Metadata(model, version, http, db, versions, cancel),
        };
    }

    private static async Task<IResult> InferSlashed(
        string path, HttpContext http, [FromServices] NamedVersions versions, [FromServices] TensorAnswers answers, Settings settings,
        CancellationToken cancel)
    {
        var parts = Slashed().Match(path);
        return parts.Groups["what"].Value == "infer"
            ? await Infer(parts.Groups["model"].Value, parts.Groups["version"].Value, http, versions, answers, settings, cancel)
            : Refuse(StatusCodes.Status405MethodNotAllowed, "Send POST requests to …/infer.");
    }

    [GeneratedRegex("^(?<model>.+?)(/versions/(?<version>[0-9]+))?(/(?<what>ready|config|infer))?/?$", RegexOptions.Singleline)]
    private static partial Regex Slashed();

    /// <summary>A refusal before a handler is reached, in the protocol's format.</summary>
    internal static IResult Of(ProblemDetails problem) =>
        Refuse(problem.Status ?? StatusCodes.Status500InternalServerError, problem.Detail ?? problem.Title ?? "");

    internal static JsonHttpResult<InferError> Refuse(int status, string error) =>
        TypedResults.Json(new InferError(error), statusCode: status);
}
