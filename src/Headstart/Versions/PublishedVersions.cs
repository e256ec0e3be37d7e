using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Versions;

/// <param name="Version">Its number; null if there is none yet.</param>
/// <param name="Kind">Kind of the model.</param>
public sealed record Published(int? Version, ModelKind Kind);

/// <summary>
/// Which version of a model predicts, needed for every prediction. A version published on this host predicts at once; one published on
/// another host when its notification arrives, after a second at most.
/// </summary>
public sealed class PublishedVersions
{
    // Compiled: building the query would take longer than running it.
    private static readonly Func<HeadstartDb, Guid, Guid, CancellationToken, Task<Published?>> Query = EF.CompileAsyncQuery(
        (HeadstartDb db, Guid account, Guid id, CancellationToken _) =>
            db.Models.Where(m => m.AccountId == account && m.Id == id).Select(m => new Published(m.PublishedVersion, m.Kind))
                .SingleOrDefault());

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(1); // rarely, because thousands of models may be in use

    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly ShortLivedCache<(Guid Account, Guid Model), Published> _published;

    public PublishedVersions(IDbContextFactory<HeadstartDb> databases, Announcements announcements, TimeProvider clock)
    {
        (_databases, _published) = (databases, new(Lifetime, Look, announcements.HasHeard, clock));
        announcements.Listen(Announcement.Versions, Forget);
    }

    /// <returns>null if the caller has no such model.</returns>
    public ValueTask<Published?> FindAsync(ClaimsPrincipal caller, Guid id, CancellationToken cancel)
    {
        var account = caller.AccountId();
        return _published.FindAsync((account, id), async token =>
        {
            await using var db = await _databases.CreateDbContextAsync(token);
            return await Query(db, account, id, token);
        }, cancel);
    }

    /// <summary>To be called after a version was published or a model deleted.</summary>
    public void Forget() => _published.Forget();
}
