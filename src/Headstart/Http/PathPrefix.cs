using System.Text.RegularExpressions;
using Microsoft.AspNetCore.HttpOverrides;

namespace Headstart.Http;

/// <summary>
/// The path below which a host name has this host among others: <c>Headstart:PathBase</c>, or what a proxy that is believed says in
/// X-Forwarded-Prefix. Whether the proxy cuts it off, passes it on, or a probe asks the process itself: from here on the path is without it
/// and PathBase has it, so what is looked up by path is found, and every address that is given away begins with it.
/// </summary>
internal static partial class PathPrefix
{
    private const int Longest = 200;

    // Our own paths. With one of these as prefix, it would be unclear whether a proxy removed the prefix.
    private static readonly PathString[] Own =
    [
        "/api/v1", "/api/v2", "/v2", "/inference.GRPCInferenceService", "/swagger", "/health", "/metrics", "/hangfire", "/session",
        "/signin", "/models", "/new", "/keys", "/not-found", "/_blazor", "/_framework", "/_content",
    ];

    /// <summary>X-Forwarded-Prefix is believed where X-Forwarded-Proto is: with <c>ASPNETCORE_FORWARDEDHEADERS_ENABLED</c>.</summary>
    public static IServiceCollection AddPathPrefix(this IServiceCollection services) =>
        services.PostConfigure<ForwardedHeadersOptions>(static options =>
    {
        if (options.ForwardedHeaders.HasFlag(ForwardedHeaders.XForwardedProto))
        {
            options.ForwardedHeaders |= ForwardedHeaders.XForwardedPrefix;
        }
    });

    /// <summary>Stands before everything that looks at the path.</summary>
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
            if (IsOwn(request.PathBase) || !request.Path.StartsWithSegments(request.PathBase, out var asked, out var rest))
            {
                return next(http);
            }

            (request.PathBase, request.Path) = (asked, rest);
            if (rest.HasValue)
            {
                return next(http);
            }

            http.Response.Redirect($"{asked}/{request.QueryString}"); // without the slash the links of the page would lead beside it
            return Task.CompletedTask;
        });
    }

    /// <returns>With one slash before it and none behind; empty for the root, null where it cannot be a prefix.</returns>
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

    /// <summary>Endpoints of the API know their own paths only.</summary>
    private static Task Complete(HttpContext http)
    {
        if (http.Response.StatusCode is StatusCodes.Status201Created or StatusCodes.Status202Accepted
            && http.Response.Headers.Location is [['/', ..] path])
        {
            http.Response.Headers.Location = http.Request.PathBase + path;
        }

        return Task.CompletedTask;
    }

    // What is the same in an address, a cookie's path, a page and a header.
    [GeneratedRegex(@"^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\z")]
    private static partial Regex Plain();
}
