using Headstart.Data;
using Headstart.Operations;
using Headstart.Training;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>Why a backbone cannot be deleted.</summary>
internal static class BackboneUse
{
    public static ProblemHttpResult NotRegistered() => Problems.Of(StatusCodes.Status409Conflict, "backbone-not-registered",
        "This backbone was not registered over the API; remove its file from its folder and start the host again.");

    /// <summary>Runs first: one that has ended in between has its version by the time versions are looked at.</summary>
    /// <param name="db">To look in.</param>
    /// <param name="needing">The versions that answer with it.</param>
    /// <param name="cancel">Ends the looking.</param>
    public static async Task<ProblemHttpResult?> FindAsync(HeadstartDb db, IQueryable<ModelVersion> needing, CancellationToken cancel)
    {
        if (await db.TrainingRuns.AnyAsync(r => r.State == RunState.Running, cancel))
        {
            return InUse("A training run may be using it; try again when no run is running.");
        }

        var users = await needing.Select(v => v.ModelId).Distinct().CountAsync(cancel);
        return users == 0 ? null : InUse($"Versions of {users} {(users == 1 ? "model" : "models")} need it to answer; delete those models first.");
    }

    private static ProblemHttpResult InUse(string detail) => Problems.Of(StatusCodes.Status409Conflict, "backbone-in-use", detail);
}
