using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Versions;

/// <summary>Why a version cannot be shown, or cannot predict at the moment.</summary>
internal static class VersionProblems
{
    public static ProblemHttpResult Unavailable(string why) => Problems.Of(StatusCodes.Status409Conflict, "version-unavailable", why);

    public static ProblemHttpResult Overloaded(HttpContext http) => Busy(http, "overloaded", "Too many predictions are waiting; try "
        + "again in a second.", "1");

    public static ProblemHttpResult Stopping(HttpContext http)
    {
        if (HttpProtocol.IsHttp11(http.Request.Protocol))
        {
            http.Response.Headers.Connection = "close"; // the next request needs no connection that is about to break
        }

        return Busy(http, "stopping", "The host is shutting down; retry on another host, or when this one is back.", "5");
    }

    public static ProblemHttpResult NoSuchVersion(Guid id) => Problems.NoSuch("version", $"/api/v1/models/{id}/versions");

    private static ProblemHttpResult Busy(HttpContext http, string type, string detail, string seconds)
    {
        http.Response.Headers.RetryAfter = seconds;
        return Problems.Of(StatusCodes.Status503ServiceUnavailable, type, detail);
    }
}
