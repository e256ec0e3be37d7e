using System.Globalization;
using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.OpenInference;

/// <summary>A version, or why there is none.</summary>
/// <param name="Model">Its id.</param>
/// <param name="Name">The model's id or name, as requested.</param>
internal sealed record NamedVersion(Guid Model, string Name, ServedVersion? Served, JsonHttpResult<InferError>? Error);

/// <summary>Finds versions by the protocol's names: the model by id or name.</summary>
internal sealed class NamedVersions(IDbContextFactory<HeadstartDb> databases, ServableVersions versions)
{
    /// <param name="caller">Must own the model.</param>
    /// <param name="model">An id or a name; the server does not decode an escaped slash in it.</param>
    /// <param name="version">A number; null or empty for the published version.</param>
    public async Task<NamedVersion> FindAsync(ClaimsPrincipal caller, string model, string? version, CancellationToken cancel)
    {
        var name = model.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        var id = Guid.TryParse(name, out var parsed) ? parsed : await IdAsync(caller, name, cancel);
        var number = string.IsNullOrEmpty(version) ? (int?)null
            : int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var named) ? named : 0;
        var found = await versions.FindAsync(caller, id, number, cancel);
        return new(id, name, found.Version, found.Refusal is not { } refusal ? null : OpenInferenceApi.Refuse(refusal.StatusCode,
            found.Kind is null ? $"There is no model \"{name}\" in your account."
            : refusal.StatusCode == StatusCodes.Status404NotFound ? $"The model has no version {version}."
                : refusal.ProblemDetails.Detail!));
    }

    private async Task<Guid> IdAsync(ClaimsPrincipal caller, string name, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.ModelsOf(caller).Where(m => m.Name == Names.Clean(name)).Select(m => m.Id).SingleOrDefaultAsync(cancel);
    }
}
