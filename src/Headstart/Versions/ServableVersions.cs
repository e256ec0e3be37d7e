using System.Security.Claims;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Versions;

/// <summary>A version that can predict, or why none can.</summary>
/// <param name="Kind">Kind of the model; null if the caller has no such model.</param>
public sealed record Servable(ModelKind? Kind, ServedVersion? Version, ProblemHttpResult? Refusal);

/// <summary>
/// Finds the version that predicts, for every protocol: checks the owner, picks the published version, and loads its head and features.
/// </summary>
public sealed class ServableVersions(PublishedVersions published, HeadCache heads)
{
    /// <param name="caller">Must own the model.</param>
    /// <param name="number">Number of a version; null for the published one.</param>
    public async Task<Servable> FindAsync(ClaimsPrincipal caller, Guid model, int? number, CancellationToken cancel)
    {
        if (await published.FindAsync(caller, model, cancel) is not var (current, kind))
        {
            return new(null, null, Problems.NoSuchModel());
        }

        if ((number ?? current) is not { } wanted)
        {
            return new(kind, null, Problems.NoPublishedVersion());
        }

        try
        {
            return await heads.GetAsync(model, wanted, cancel) is { } version ? new(kind, version, null)
                : new(kind, null, VersionProblems.NoSuchVersion(model));
        }
        catch (RefusedException e)
        {
            return new(kind, null, e.Problem);
        }
    }
}
