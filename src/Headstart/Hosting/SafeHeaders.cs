namespace Headstart.Hosting;

/// <summary>Security headers for all responses.</summary>
internal static class SafeHeaders
{
    // API responses must not act as pages.
    private const string Nothing = "default-src 'none'; frame-ancestors 'none'";

    private static readonly string[] Data = ["application/json", "application/problem+json", "application/x-ndjson", "text/event-stream",
        "text/csv"];

    /// <summary>
    /// Register first: adds headers when a response starts, so errors have them too. Responses that set their own, as pages and images do,
    /// keep them. HTTPS and Strict-Transport-Security are left to the proxy.
    /// </summary>
    public static void UseSafeHeaders(this WebApplication app) => app.Use(static (http, next) =>
    {
        http.Response.OnStarting(static state => Add((HttpContext)state), http);
        return next(http);
    });

    private static Task Add(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.TryAdd("X-Content-Type-Options", "nosniff");
        headers.TryAdd("Referrer-Policy", "no-referrer");
        if (http.Response.ContentType is { } type && Data.Any(data => type.StartsWith(data, StringComparison.OrdinalIgnoreCase)))
        {
            headers.TryAdd("Content-Security-Policy", Nothing);
        }

        // Responses belong to an account, and one of them is a new key. Those with an ETag are revalidated before use.
        if (headers.ETag.Count == 0 && (http.Request.Path.StartsWithSegments("/api") || http.Request.Path.StartsWithSegments("/v2")))
        {
            headers.TryAdd("Cache-Control", "no-store");
        }

        return Task.CompletedTask;
    }
}
