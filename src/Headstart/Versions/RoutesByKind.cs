using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Versions;

/// <summary>Routes for image models only, or for text models only: requests with a model of the other kind are told the right
/// route.</summary>
public static class RoutesByKind
{
    /// <param name="routes">Below <c>/models/{id}</c>.</param>
    /// <param name="instead">What to do with a text model, as a sentence without its end; <c>{0}</c> stands for the model's
    /// path.</param>
    public static T ForImages<T>(this T routes, string instead)
        where T : IEndpointConventionBuilder => routes.For(texts: false, instead);

    /// <param name="routes">Below <c>/models/{id}</c>.</param>
    /// <param name="instead">What to do with an image model, as a sentence without its end; <c>{0}</c> stands for the model's
    /// path.</param>
    public static T ForTexts<T>(this T routes, string instead)
        where T : IEndpointConventionBuilder => routes.For(texts: true, instead);

    /// <summary>The refusal of a request for models of the other kind.</summary>
    public static ProblemHttpResult Refusal(ModelKind kind, string instead) => Problems.Of(
        StatusCodes.Status409Conflict, "wrong-kind", $"This model {(kind.HasBoxes() ? "finds objects in" : "classifies")} "
            + $"{kind.Nouns()}: {instead}.");

    private static T For<T>(this T routes, bool texts, string instead)
        where T : IEndpointConventionBuilder
    {
        routes.ProducesProblem(StatusCodes.Status409Conflict);
        routes.Add(endpoint => endpoint.Before(async http =>
        {
            var versions = http.RequestServices.GetRequiredService<ServableVersions>();
            // The handler refuses a model that the caller does not have.
            return Guid.TryParse(http.GetRouteValue("id") as string, out var id)
                && await versions.PublishedAsync(http.User, id, http.RequestAborted) is { } model && model.Kind.IsText() != texts
                ? Refusal(model.Kind, instead.Replace("{0}", $"/api/v1/models/{id}", StringComparison.Ordinal)) : null;
        }));
        return routes;
    }
}
