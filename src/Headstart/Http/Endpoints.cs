namespace Headstart.Http;

/// <summary>Endpoints that a start builds quickly.</summary>
internal static class Endpoints
{
    /// <summary>
    /// Asks whether a request is refused before its handler sees it. An endpoint filter would do the same, but for each endpoint that has
    /// one the framework compiles two more methods at every start.
    /// </summary>
    /// <param name="endpoint">While its conventions are applied.</param>
    /// <param name="refusal">Returns null where the handler may answer.</param>
    public static void Before(this EndpointBuilder endpoint, Func<HttpContext, ValueTask<IResult?>> refusal)
    {
        var handle = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = async http => await (await refusal(http) is { } refused ? refused.ExecuteAsync(http) : handle(http));
    }

    /// <summary>
    /// Call it after the last endpoint was mapped. Without it authorization and routing each build all endpoints, with a method compiled
    /// for each; a <see cref="CompositeEndpointDataSource"/> keeps what it has built.
    /// </summary>
    public static void BuildOnce(this IEndpointRouteBuilder routes)
    {
        var all = new CompositeEndpointDataSource([.. routes.DataSources]);
        routes.DataSources.Clear();
        routes.DataSources.Add(all);
    }
}
