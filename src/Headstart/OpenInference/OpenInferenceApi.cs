using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Unicode;
using Headstart.Access;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Hosting;
using Headstart.Learning.Heads;
using Headstart.Operations;
using Headstart.Predictions;
using Headstart.Uploads;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.OpenInference;

/// <summary>
/// The Open Inference Protocol, version 2, so that standard clients and gateways can predict. A model is given by its id or its name;
/// errors
/// are <c>{"error": "…"}</c>, as the protocol requires. It uses the same <see cref="Predictor"/> as the other APIs.
/// </summary>
public static class OpenInferenceApi
{
    internal const string Root = "/v2";
    private const string Platform = "headstart";
    private const string ByName = "The model is given by its id or its name.";
    private const string HowToInfer = "Send one input named image: BYTES [n], each a file in base64, or UINT8 [h, w, 3] or [n, h, w, 3], "
        + "pixels in red, green and blue. For a text model send one input named text: BYTES [n], each a text. Binary tensors "
        + "(Inference-Header-Content-Length) are supported.";

    private static readonly string Release = typeof(OpenInferenceApi)
        .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static void MapOpenInference(this IEndpointRouteBuilder app)
    {
        var v2 = app.MapGroup(Root).WithTags("Open Inference Protocol");
        v2.MapGet("/", () => TypedResults.Ok(new ServerMetadata(Platform, Release, ["binary_tensor_data"])))
            .AllowAnonymous().DisableRateLimiting().Named("oipServer", "Get server metadata", "Needs no key.");
        v2.MapGet("/health/live", () => TypedResults.Ok(new ServerLive(true))).AllowAnonymous().DisableRateLimiting()
            .Named("oipLive", "Check that the server is live", "Needs no key.");
        v2.MapGet("/health/ready", Ready).AllowAnonymous().DisableRateLimiting()
            .Named("oipReady", "Check that the server is ready", "Needs no key. If it is not ready, GET /health/ready says why.")
            .Produces<ServerReady>(503);
        var models = v2.MapGroup("/models/{model}").RequireAuthorization();
        models.MapGet("/", (string model, HttpContext http, HeadstartDb db, [FromServices] NamedVersions versions,
            CancellationToken cancel) => Metadata(model, null, http, db, versions, cancel))
            .Named("oipModel", "Get the inputs and outputs of a model", ByName).Fails(404, 409);
        models.MapGet("/ready", (string model, HttpContext http, [FromServices] NamedVersions versions, CancellationToken cancel) =>
            IsReady(model, null, http, versions, cancel))
            .Named("oipModelReady", "Check that a model is ready", "Answers 200 if the model has a usable version.").Fails(404, 409);
        models.MapPost("/infer", (string model, HttpContext http, [FromServices] NamedVersions versions, Predictor predictor,
            Settings settings, CancellationToken cancel) =>
            Infer(model, null, http, versions, predictor, settings, cancel)).Named("oipInfer", "Predict", HowToInfer).TakesTensors();
        models.MapGet("/versions/{version}", Metadata)
            .Named("oipVersion", "Get the inputs and outputs of a version", ByName).Fails(404, 409);
        models.MapGet("/versions/{version}/ready", IsReady).Named("oipVersionReady", "Check that a version is ready", "Answers 200 if "
            + "the version can predict.").Fails(404, 409);
        models.MapPost("/versions/{version}/infer", Infer).Named("oipVersionInfer", "Predict with a version", HowToInfer).TakesTensors();
    }

    private static RouteHandlerBuilder TakesTensors(this RouteHandlerBuilder infer) =>
        infer.Predicts().Accepts<InferRequest>("application/json", "*/*").Fails(400, 404, 409, 413, 415, 503).WithMetadata(new BodyExample("""{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["iVBORw0KGgo="]}]}"""));

    /// <summary>Declares errors in the protocol's format, which also those from outside these handlers have.</summary>
    private static RouteHandlerBuilder Fails(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses)
        {
            endpoint.Produces<InferError>(status);
        }

        return endpoint.Produces<InferError>(401);
    }

    private static async Task<Results<Ok<ServerReady>, JsonHttpResult<ServerReady>>> Ready(
        HeadstartDb db, LoadedBackbones loaded, BlobHealth blobs, IHostApplicationLifetime lifetime, CancellationToken cancel) =>
        await HealthApi.WhyNotReadyAsync(db, loaded, blobs, lifetime, cancel) is null ? TypedResults.Ok(new ServerReady(true))
            : TypedResults.Json(new ServerReady(false), statusCode: StatusCodes.Status503ServiceUnavailable);

    private static async Task<Results<Ok<ModelMetadata>, JsonHttpResult<InferError>>> Metadata(
        string model, string? version, HttpContext http, HeadstartDb db, [FromServices] NamedVersions versions, CancellationToken cancel)
    {
        var (id, served, error) = await versions.FindAsync(http, model, version, cancel);
        if (served is null)
        {
            return error!;
        }

        var numbers = await db.Versions.Where(v => v.ModelId == id).OrderByDescending(v => v.Number).Select(v => v.Number)
            .ToListAsync(cancel);
        var k = served.Head.Labels.Count;
        List<TensorMetadata> outputs = [new("label", "BYTES", [-1]), new("probability", "FP32", [-1]),
            new("probabilities", "FP32", [-1, k]), new("unknown", "BOOL", [-1])];
        if (served.Head.Thresholds is not null)
        {
            outputs.Add(new("applies", "BOOL", [-1, k]));
        }

        return TypedResults.Ok(new ModelMetadata(model, [.. numbers.Select(Text)], Platform,
            [new(RequestReader.Input(served.Features is WordFeatures), "BYTES", [-1])], outputs, new(served.Head.Labels)));
    }

    private static async Task<Results<Ok<ModelReady>, JsonHttpResult<InferError>>> IsReady(
        string model, string? version, HttpContext http, [FromServices] NamedVersions versions, CancellationToken cancel)
    {
        var (_, served, error) = await versions.FindAsync(http, model, version, cancel);
        return served is null ? error! : TypedResults.Ok(new ModelReady(model, true));
    }

    private static async Task<Results<Ok<InferResponse>, JsonHttpResult<InferError>>> Infer(
        string model, string? version, HttpContext http, [FromServices] NamedVersions versions, Predictor predictor, Settings settings,
        CancellationToken cancel)
    {
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = RequestReader.MaxBytes(settings);
        var (_, served, error) = await versions.FindAsync(http, model, version, cancel);
        if (served is null)
        {
            return error!;
        }

        var texts = served.Features is WordFeatures;
        var (request, elements, wrong) = await new RequestReader(settings, texts).ReadAsync(http.Request, cancel);
        if (request is null)
        {
            return Refuse(StatusCodes.Status400BadRequest, wrong!);
        }

        // Refuse whatever can be refused before counting predictions.
        var read = new List<string>();
        foreach (var (i, element) in elements.Index().Where(_ => texts))
        {
            if (ReadText(element, settings.Uploads.MaxTextBytes, out var text) is { } problem)
            {
                return Refuse(StatusCodes.Status400BadRequest, $"Text {i}: {problem}");
            }

            read.Add(text);
        }

        List<string> names = [.. Outputs(served.Head, []).Select(output => output.Name)];
        if (request.Outputs?.FirstOrDefault(wanted => !names.Contains(wanted.Name!)) is { } unknown)
        {
            return Refuse(StatusCodes.Status400BadRequest, $"Unknown output \"{unknown.Name}\". Available: {string.Join(", ", names)}.");
        }

        var answers = new List<Answer>();
        foreach (var (i, element) in elements.Index())
        {
            if (predictor.IsStopping || await (texts ? predictor.AskAsync(http.User, served, read[i], explain: false, cancel)
                : predictor.AskAsync(http.User, served, element, explain: false, cancel)) is not { } answer)
            {
                http.Response.Headers.RetryAfter = "1";
                return Refuse(StatusCodes.Status503ServiceUnavailable, "Too many predictions are waiting, or the host is shutting down; "
                    + "try again in a second.");
            }

            if (answer.Refusal is { } refusal)
            {
                return Refuse(StatusCodes.Status400BadRequest, $"Image {i}: {refusal.Detail}");
            }

            answers.Add(answer);
        }

        var all = Outputs(served.Head, answers);
        var outputs = request.Outputs is not { Count: > 0 } wanted ? all
            : all.FindAll(output => wanted.Any(name => name.Name == output.Name));
        return TypedResults.Ok(new InferResponse(model, Text(served.Number), request.Id, outputs));
    }

    /// <returns>Why the text is refused.</returns>
    private static string? ReadText(byte[] element, int maxBytes, out string text)
    {
        text = "";
        return Utf8.IsValid(element) ? PlainText.Read(Encoding.UTF8.GetString(element), maxBytes, out text)?.Detail : "The text is not "
            + "valid UTF-8.";
    }

    private static List<ResponseTensor> Outputs(Head head, List<Answer> answers)
    {
        var (n, k) = (answers.Count, head.Labels.Count);
        int[] best = [.. answers.Select(answer => Array.IndexOf(answer.Probabilities, answer.Probabilities.Max()))];
        List<ResponseTensor> outputs =
        [
            new("label", "BYTES", [n], best.Select(label => head.Labels[label]).ToArray()),
            new("probability", "FP32", [n], answers.Select((answer, i) => answer.Probabilities[best[i]]).ToArray()),
            new("probabilities", "FP32", [n, k], answers.SelectMany(answer => answer.Probabilities).ToArray()),
            new("unknown", "BOOL", [n], answers.Select(answer => answer.Unknown).ToArray()),
        ];
        if (head.Thresholds is { } thresholds)
        {
            outputs.Add(new("applies", "BOOL", [n, k],
                answers.SelectMany(answer => answer.Probabilities.Zip(thresholds, (p, from) => p >= from)).ToArray()));
        }

        return outputs;
    }

    /// <summary>What is refused before a handler is reached, in the protocol's format.</summary>
    internal static IResult Of(ProblemDetails problem) =>
        Refuse(problem.Status ?? StatusCodes.Status500InternalServerError, problem.Detail ?? problem.Title ?? "");

    internal static JsonHttpResult<InferError> Refuse(int status, string error) =>
        TypedResults.Json(new InferError(error), statusCode: status);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
