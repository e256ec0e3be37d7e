using Headstart.Data;
using Headstart.Operations;
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
        if (await db.TrainingRuns.AnyAsync(r => r.State == JobState.Running, cancel))
        {
            return InUse("A training run may be using it; try again when no run is running.");
        }

        var users = await needing.Select(v => v.ModelId).Distinct().CountAsync(cancel);
        return users == 0 ? null : InUse($"Versions of {users} {(users == 1 ? "model" : "models")} need it to answer; delete those models first.");
    }

    /// <summary>Takes one off its loaded unless something needs it. From then on no run gets it; one that got it a moment before is seen by looking again.</summary>
    /// <param name="find">Looks for what needs it.</param>
    /// <param name="remove">From the loaded.</param>
    /// <param name="putBack">On the loaded.</param>
    /// <param name="cancel">Ends the first look.</param>
    /// <returns>null when it is off the loaded, else why it stays.</returns>
    public static async Task<ProblemHttpResult?> TakeOffAsync(Func<CancellationToken, Task<ProblemHttpResult?>> find, Action remove, Action putBack, CancellationToken cancel)
    {
        if (await find(cancel) is { } used)
        {
            return used;
        }

        remove();
        var usedNow = await find(CancellationToken.None);
        if (usedNow is not null)
        {
            putBack();
        }

        return usedNow;
    }

    private static ProblemHttpResult InUse(string detail) => Problems.Of(StatusCodes.Status409Conflict, "backbone-in-use", detail);
}
