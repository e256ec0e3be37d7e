using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Versions;

public static class OwnVersions
{
    /// <returns>null if the caller has no such model, or the model no such version.</returns>
    public static async Task<(ModelVersion Version, Model Model)?> FindVersionAsync(
        this HeadstartDb db, ClaimsPrincipal caller, Guid id, int number, CancellationToken cancel)
    {
        var row = await db.ModelsOf(caller).Where(m => m.Id == id)
            .Join(db.Versions.Where(v => v.Number == number), m => m.Id, v => v.ModelId, (m, v) => new { Version = v, Model = m })
            .SingleOrDefaultAsync(cancel);
        return row is null ? null : (row.Version, row.Model);
    }
}

internal static class VersionProblems
{
    public static ProblemHttpResult Unavailable(string why) => Problems.Of(StatusCodes.Status409Conflict, "version-unavailable", why);

    public static ProblemHttpResult Overloaded(HttpContext http) => Busy(http, "overloaded", "Too many predictions are waiting; try "
        + "again in a second.", "1");

    public static ProblemHttpResult Stopping(HttpContext http) => Busy(http, "stopping", "The host is shutting down; retry on another "
        + "host, or when this one is back.", "5");

    public static ProblemHttpResult NoSuchVersion(Guid id) => Problems.NoSuch("version", $"/api/v1/models/{id}/versions");

    private static ProblemHttpResult Busy(HttpContext http, string type, string detail, string seconds)
    {
        http.Response.Headers.RetryAfter = seconds;
        return Problems.Of(StatusCodes.Status503ServiceUnavailable, type, detail);
    }
}
