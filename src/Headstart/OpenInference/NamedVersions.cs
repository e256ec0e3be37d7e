using System.Globalization;
using Headstart.Access;
using Headstart.Data;
using Headstart.Operations;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.OpenInference;

/// <summary>Finds versions as the protocol names them, with the model given by id or name.</summary>
internal sealed class NamedVersions(HeadstartDb db, ServableVersions versions)
{
    /// <summary>The version to use, or why there is none.</summary>
    public async Task<(Guid Id, ServedVersion? Served, JsonHttpResult<InferError>? Error)> FindAsync(
        HttpContext http, string model, string? version, CancellationToken cancel)
    {
        var id = Guid.TryParse(model, out var parsed) ? parsed
            : await db.ModelsOf(http.User).Where(m => m.Name == Names.Clean(model)).Select(m => m.Id).SingleOrDefaultAsync(cancel);
        var number = version is null ? (int?)null : int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var named)
            ? named : 0;
        var found = await versions.FindAsync(http.User, id, number, cancel);
        return (id, found.Version, found.Refusal is not { } refusal ? null : OpenInferenceApi.Refuse(refusal.StatusCode,
            found.Kind is null ? $"There is no model \"{model}\" in your account."
            : refusal.StatusCode == StatusCodes.Status404NotFound ? $"The model has no version {version}."
                : refusal.ProblemDetails.Detail!));
    }
}
