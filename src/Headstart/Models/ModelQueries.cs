using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Models;

public static class ModelQueries
{
    /// <summary>The models of the caller's account. Every feature that hangs below a model starts here, so that nobody sees another's.</summary>
    public static IQueryable<Model> ModelsOf(this HeadstartDb db, ClaimsPrincipal caller)
    {
        var account = caller.AccountId();
        return db.Models.Where(m => m.AccountId == account);
    }

    /// <summary>The published version of one of the caller's models, for every prediction anew: a pointer that was switched is followed at once, on every host.</summary>
    /// <returns>null where the caller has no such model.</returns>
    public static Task<Published?> FindPublishedAsync(this HeadstartDb db, ClaimsPrincipal caller, Guid id, CancellationToken cancel) =>
        PublishedOf(db, caller.AccountId(), id, cancel);

    // Compiled: building the query anew would take longer than asking it.
    private static readonly Func<HeadstartDb, Guid, Guid, CancellationToken, Task<Published?>> PublishedOf = EF.CompileAsyncQuery(
        (HeadstartDb db, Guid account, Guid id, CancellationToken _) =>
            db.Models.Where(m => m.AccountId == account && m.Id == id).Select(m => new Published(m.PublishedVersion)).SingleOrDefault());

    /// <summary>
    /// Until the transaction ends nobody drops the model or one of its categories. Whoever puts images into categories holds the
    /// model first and looks for the category then: a category that is dropped takes its images with it.
    /// </summary>
    public static Task HoldModelAsync(this HeadstartDb db, Guid id) =>
        db.Database.ExecuteSqlAsync($"SELECT FROM models WHERE id = {id} FOR KEY SHARE");
}

/// <summary>Which version of a model answers.</summary>
/// <param name="Version">Its number; null where there is none yet.</param>
public sealed record Published(int? Version);
