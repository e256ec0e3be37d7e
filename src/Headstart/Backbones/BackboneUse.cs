using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>Why a backbone cannot be deleted.</summary>
internal static class BackboneUse
{
    public static ProblemHttpResult NotRegistered() => Problems.Of(StatusCodes.Status409Conflict, "backbone-not-registered",
        "This backbone was not registered over the API; to remove it, delete its file from its folder and restart the host.");

    /// <summary>Finds a reason. Checks runs first: if a run ends in between, its version exists when versions are checked.</summary>
    /// <param name="db">The database.</param>
    /// <param name="needing">The versions that predict with the backbone.</param>
    /// <param name="cancel">Cancels the search.</param>
    public static async Task<ProblemHttpResult?> FindAsync(HeadstartDb db, IQueryable<ModelVersion> needing, CancellationToken cancel)
    {
        if (await db.TrainingRuns.AnyAsync(r => r.State == JobState.Running, cancel))
        {
            return InUse("A training run may be using this backbone; try again when no training run is running.");
        }

        var users = await needing.Select(v => v.ModelId).Distinct().CountAsync(cancel);
        return users == 0 ? null : InUse($"Versions of {users} {(users == 1 ? "model" : "models")} need this backbone to predict; delete "
            + "those models first.");
    }

    /// <summary>Unloads a backbone unless something needs it. Checks twice: the second check finds a run that got it just before.</summary>
    /// <param name="find">Finds what needs it.</param>
    /// <param name="remove">Unloads it.</param>
    /// <param name="putBack">Loads it again.</param>
    /// <param name="cancel">Cancels the first check.</param>
    /// <returns>null if it is unloaded, otherwise why not.</returns>
    public static async Task<ProblemHttpResult?> TakeOffAsync(Func<CancellationToken, Task<ProblemHttpResult?>> find, Action remove,
        Action putBack, CancellationToken cancel)
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
