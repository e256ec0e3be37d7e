using System.Security.Claims;
using Headstart.Access;
using Headstart.Blobs;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace Headstart.Versions;

/// <summary>A version that can predict, or why none can.</summary>
/// <param name="Kind">Kind of the model; null if the caller has no such model.</param>
public sealed record Servable(ModelKind? Kind, ServedVersion? Version, ProblemHttpResult? Refusal);

/// <param name="Version">Number of the published version; null if there is none yet.</param>
/// <param name="Kind">Kind of the model.</param>
public sealed record Published(int? Version, ModelKind Kind);

/// <summary>
/// Finds the version that predicts, for every protocol: checks the owner, knows the published version, and keeps the heads in use in
/// memory. A version published on this host predicts at once; one published on another host when its notification arrives, after a second
/// at most.
/// </summary>
public sealed class ServableVersions : IDisposable
{
    // Compiled: building the query would take longer than running it.
    private static readonly Func<HeadstartDb, Guid, Guid, CancellationToken, Task<Published?>> Query = EF.CompileAsyncQuery(
        (HeadstartDb db, Guid account, Guid id, CancellationToken _) =>
            db.Models.Where(m => m.AccountId == account && m.Id == id).Select(m => new Published(m.PublishedVersion, m.Kind))
                .SingleOrDefault());

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(1); // rarely, because thousands of models may be in use

    private readonly IDbContextFactory<HeadstartDb> _databases;
    private readonly VersionReader _reader;
    private readonly IBlobStore _blobs;
    private readonly Telemetry _telemetry;
    private readonly ShortLivedCache<(Guid Account, Guid Model), Published> _published;
    // A version never changes, so an entry is never stale. An evicted version may still be in use, so it is not disposed: its finalizer
    // runs after the last prediction with it.
    private readonly MemoryCache _heads;

    public ServableVersions(IDbContextFactory<HeadstartDb> databases, VersionReader reader, IBlobStore blobs, Settings settings,
        Telemetry telemetry, Announcements announcements, TimeProvider clock)
    {
        (_databases, _reader, _blobs, _telemetry) = (databases, reader, blobs, telemetry);
        _heads = new(new MemoryCacheOptions { SizeLimit = settings.Predictions.HeadCacheBytes });
        _published = new(Lifetime, Look, announcements.HasHeard, clock);
        announcements.Listen(Announcement.Versions, Forget);
    }

    /// <param name="caller">Must own the model.</param>
    /// <param name="number">Number of a version; null for the published one.</param>
    public async Task<Servable> FindAsync(ClaimsPrincipal caller, Guid model, int? number, CancellationToken cancel)
    {
        if (await PublishedAsync(caller, model, cancel) is not var (current, kind))
        {
            return new(null, null, Problems.NoSuchModel());
        }

        if ((number ?? current) is not { } wanted)
        {
            return new(kind, null, Problems.NoPublishedVersion());
        }

        try
        {
            return await LoadAsync(model, wanted, cancel) is { } version ? new(kind, version, null)
                : new(kind, null, VersionProblems.NoSuchVersion(model));
        }
        catch (RefusedException e)
        {
            return new(kind, null, e.Problem);
        }
    }

    /// <returns>null if the caller has no such model.</returns>
    public ValueTask<Published?> PublishedAsync(ClaimsPrincipal caller, Guid model, CancellationToken cancel)
    {
        var account = caller.AccountId();
        return _published.FindAsync((account, model), async token =>
        {
            await using var db = await _databases.CreateDbContextAsync(token);
            return await Query(db, account, model, token);
        }, cancel);
    }

    /// <summary>The version of any account, read and checked once; null if the model has none with this number.</summary>
    /// <exception cref="RefusedException">The head or its backbone is missing on this host.</exception>
    public ValueTask<ServedVersion?> LoadAsync(Guid model, int number, CancellationToken cancel)
    {
        var known = _heads.TryGetValue((model, number), out ServedVersion? served);
        _telemetry.LookedForHead(known);
        return known ? new(served) : new(ReadAsync(model, number, cancel));
    }

    /// <summary>To be called after a version was published or a model deleted.</summary>
    public void Forget() => _published.Forget();

    public void Dispose() => _heads.Dispose();

    private async Task<ServedVersion?> ReadAsync(Guid model, int number, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        if (await db.Versions.Where(v => v.ModelId == model && v.Number == number)
            .Join(db.Models, v => v.ModelId, m => m.Id, (v, m) => new { v.Artifact, m.Kind, v.TrainableParameters })
            .SingleOrDefaultAsync(cancel) is not { } version)
        {
            return null;
        }

        var bytes = await _blobs.GetAsync(version.Artifact, cancel)
            ?? throw VersionReader.Unavailable("The version's head is missing from the blob store or damaged there; publish another "
                + "version or train again.");
        var served = await _reader.ReadAsync(version.Kind, number, bytes, cancel) with { ZeroShot = version.TrainableParameters == 0 };
        return _heads.Set((model, number), served, new MemoryCacheEntryOptions { Size = served.Bytes });
    }
}
