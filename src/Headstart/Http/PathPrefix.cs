using System.Text.RegularExpressions;
using Microsoft.AspNetCore.HttpOverrides;

namespace Headstart.Http;

/// <summary>
/// The path prefix below which this host is served: <c>Headstart:PathBase</c>, or X-Forwarded-Prefix of a trusted proxy. Whether the proxy
/// removes it, passes it on, or a probe asks the process directly: from here on Path lacks the prefix and PathBase contains it, so that
/// routes match and every returned URL begins with it.
/// </summary>
internal static partial class PathPrefix
{
    private const int Longest = 200;

    // Our own paths. If one of these were the prefix, it would be unclear whether a proxy removed it.
    private static readonly PathString[] Own =
    [
        "/api/v1", "/api/v2", "/v2", "/inference.GRPCInferenceService", "/swagger", "/health", "/metrics", "/hangfire", "/session",
        "/signin", "/models", "/new", "/keys", "/not-found", "/_blazor", "/_framework", "/_content",
    ];

    /// <summary>X-Forwarded-Prefix is trusted if X-Forwarded-Proto is: with <c>ASPNETCORE_FORWARDEDHEADERS_ENABLED</c>.</summary>
    public static IServiceCollection AddPathPrefix(this IServiceCollection services) =>
        services.PostConfigure<ForwardedHeadersOptions>(static options =>
    {
        if (options.ForwardedHeaders.HasFlag(ForwardedHeaders.XForwardedProto))
        {
            options.ForwardedHeaders |= ForwardedHeaders.XForwardedPrefix;
        }
    });

    /// <summary>Register before everything that reads the path.</summary>
    public static void UsePathPrefix(this WebApplication app, PathString configured)
    {
        app.Use((http, next) =>
        {
            var request = http.Request;
            request.PathBase = Read(request.PathBase.Value) is { HasValue: true } forwarded ? forwarded : configured;
            if (!request.PathBase.HasValue)
            {
                return next(http);
            }

            http.Response.OnStarting(static state => Complete((HttpContext)state), http);
            if (IsOwn(request.PathBase) || !request.Path.StartsWithSegments(request.PathBase, out var prefix, out var rest))
            {
                return next(http);
            }

            (request.PathBase, request.Path) = (prefix, rest);
            if (rest.HasValue)
            {
                return next(http);
            }

            http.Response.Redirect($"{prefix}/{request.QueryString}"); // without the slash, relative links of the page would be wrong
            return Task.CompletedTask;
        });
    }

    /// <returns>The prefix with a leading slash and no trailing one; empty for the root, null if it is not a valid prefix.</returns>
    public static PathString? Read(string? text)
    {
        var path = text is null or "" or "/" ? "" : text[0] == '/' ? text : "/" + text;
        path = path.EndsWith('/') ? path[..^1] : path;
        // null alone would become an empty path
        return path.Length == 0 || (path.Length <= Longest && Plain().IsMatch(path)) ? new PathString(path) : default(PathString?);
    }

    public static string? Problem(string? text) =>
        Read(text) is not { } prefix ? $"Headstart:PathBase is \"{text}\"; it must be a path such as /headstart: no host name, only "
            + "letters, digits, dashes, underscores, dots and tildes."
        : prefix.HasValue && IsOwn(prefix) ? $"Headstart:PathBase is \"{text}\", which conflicts with Headstart's own paths; choose "
            + "another path, such as /headstart."
        : null;

    private static bool IsOwn(PathString prefix) => Own.Any(own => prefix.StartsWithSegments(own) || own.StartsWithSegments(prefix));

    /// <summary>Adds the prefix to Location: endpoints of the API know only their own paths.</summary>
    private static Task Complete(HttpContext http)
    {
        if (http.Response.StatusCode is StatusCodes.Status201Created or StatusCodes.Status202Accepted
            && http.Response.Headers.Location is [['/', ..] path])
        {
            http.Response.Headers.Location = http.Request.PathBase + path;
        }

        return Task.CompletedTask;
    }

    // Characters that need no escaping in a URL, a cookie's path, a page or a header.
    [GeneratedRegex(@"^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\z")]
    private static partial Regex Plain();
}
