using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.Errors;

/// <summary>Format of errors below a path whose clients do not expect <c>application/problem+json</c>.</summary>
/// <param name="Below">The path.</param>
/// <param name="Of">Converts a problem to this format.</param>
public sealed record ErrorShape(PathString Below, Func<ProblemDetails, IResult> Of, Type Body);

/// <summary>
/// Refusals used by several features. Each has a stable <c>type</c> slug that clients may switch on, and a sentence that says what to
/// do.
/// </summary>
public static class Problems
{
    public static ProblemHttpResult Of(int status, string type, string detail, params (string Key, object? Value)[] more) =>
        TypedResults.Problem(detail, statusCode: status, type: type, extensions: more.ToDictionary(m => m.Key, m => m.Value));

    public static ProblemHttpResult Invalid(string type, string detail) => Of(StatusCodes.Status422UnprocessableEntity, type, detail);

    public static ProblemHttpResult NoSuchModel() =>
        Of(StatusCodes.Status404NotFound, "model-not-found",
            "There is no model with this id in your account; GET /api/v1/models lists yours.");

    public static ProblemHttpResult NoPublishedVersion() => Of(
        StatusCodes.Status409Conflict, "no-published-version", "The model has no published version yet; start a training run and wait "
            + "until it succeeds.");

    /// <returns>null for a valid key or none.</returns>
    public static ProblemHttpResult? RefuseIdempotencyKey(string? key) => key is { Length: 0 or > 200 }
        ? Of(StatusCodes.Status400BadRequest, "invalid-idempotency-key", "An Idempotency-Key must have 1 to 200 characters.") : null;

    public static ProblemHttpResult NotMultipart() => Of(
        StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
        "Send multipart/form-data with a boundary and the files in parts named file, for example with curl -F category=cats -F "
            + "file=@cat.jpg.");

    public static ProblemHttpResult NoSuch(string what, string list) =>
        Of(StatusCodes.Status404NotFound, $"{what.Replace(' ', '-')}-not-found", $"This model has no such {what}; GET {list} lists them.");

    /// <summary>Answers with a problem from outside an endpoint, in the format used below the request's path.</summary>
    public static Task AnswerAsync(this HttpContext http, ProblemHttpResult problem)
    {
        var shape = http.RequestServices.GetServices<ErrorShape>()
            .FirstOrDefault(shape => http.Request.Path.StartsWithSegments(shape.Below));
        return (shape?.Of(problem.ProblemDetails) ?? problem).ExecuteAsync(http);
    }

    /// <summary>Declares the problems of an endpoint for the OpenAPI document.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses)
        {
            endpoint.ProducesProblem(status);
        }

        return endpoint;
    }
}
