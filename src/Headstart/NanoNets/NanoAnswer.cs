using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;

namespace Headstart.NanoNets;

/// <summary>Answers in NanoNets' format; clients parse every answer as JSON, including errors.</summary>
internal static class NanoAnswer
{
    public static IResult Of<T>(T body, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(body, NanoJson.Options, statusCode: status);

    public static IResult Error(int status, string reason, string message) => Error(status, [new(reason, message)]);

    public static IResult Error(int status, IReadOnlyList<NanoReason> errors) =>
        Of(new NanoError(ReasonPhrases.GetReasonPhrase(status), status, errors), status);

    public static IResult Bad(string reason, string message) => Error(StatusCodes.Status400BadRequest, reason, message);

    /// <summary>Uses NanoNets' exact words, which clients print.</summary>
    public static IResult NotReady(string? message = null) =>
        Error(StatusCodes.Status409Conflict, "Model is not ready", message ?? "Please check the current state of model");

    public static IResult NoSuchModel() =>
        Error(StatusCodes.Status404NotFound, "Model not found",
            "There is no model with this id in your account; GET /api/v2/ImageCategorization/Models/ lists yours.");

    public static IResult OfTexts(Guid model) => Error(StatusCodes.Status409Conflict, "Model classifies texts",
        $"The model classifies texts, which the NanoNets API does not support; use /api/v1/models/{model}.");

    public static IResult Busy(HttpContext http, string seconds, string message)
    {
        http.Response.Headers.RetryAfter = seconds;
        return Error(StatusCodes.Status503ServiceUnavailable, "Busy", message);
    }

    /// <summary>A refusal by Headstart. NanoNets has no 422.</summary>
    public static IResult Of(ProblemDetails problem) => Error(
        problem.Status is StatusCodes.Status422UnprocessableEntity or null ? StatusCodes.Status400BadRequest : problem.Status.Value,
        Words(problem.Type ?? "error"), problem.Detail ?? "");

    /// <summary><c>unknown-category</c> as <c>Unknown category</c>.</summary>
    public static string Words(string slug) => char.ToUpperInvariant(slug[0]) + slug[1..].Replace('-', ' ');
}
