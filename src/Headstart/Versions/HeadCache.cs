using Headstart.Blobs;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace Headstart.Versions;

/// <summary>
/// The versions in use, read and checked once (<see cref="VersionReader"/>). A version never changes, so an entry is never stale. An
/// evicted version may still be in use, so it is not disposed: its finalizer runs after the last prediction with it.
/// </summary>
public sealed class HeadCache(VersionReader reader, IBlobStore blobs, IDbContextFactory<HeadstartDb> databases, Settings settings,
    Telemetry telemetry) : IDisposable
{
    private readonly MemoryCache _heads = new(new MemoryCacheOptions { SizeLimit = settings.Predictions.HeadCacheBytes });

    /// <summary>The version; null if the model has none with this number.</summary>
    /// <exception cref="RefusedException">The head or its backbone is missing on this host.</exception>
    public ValueTask<ServedVersion?> GetAsync(Guid model, int number, CancellationToken cancel)
    {
        var known = _heads.TryGetValue((model, number), out ServedVersion? served);
        telemetry.LookedForHead(known);
        return known ? new(served) : new(ReadAsync(model, number, cancel));
    }

    private async Task<ServedVersion?> ReadAsync(Guid model, int number, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Versions.Where(v => v.ModelId == model && v.Number == number)
            .Join(db.Models, v => v.ModelId, m => m.Id, (v, m) => new { v.Artifact, m.Kind, v.TrainableParameters })
            .SingleOrDefaultAsync(cancel) is not { } version)
        {
            return null;
        }

        var bytes = await blobs.GetAsync(version.Artifact, cancel)
            ?? throw VersionReader.Unavailable("The version's head is missing from the blob store or damaged there; publish another "
                + "version or train again.");
        var served = await reader.ReadAsync(version.Kind, number, bytes, cancel) with { ZeroShot = version.TrainableParameters == 0 };
        return _heads.Set((model, number), served, new MemoryCacheEntryOptions { Size = served.Bytes });
    }

    public void Dispose() => _heads.Dispose();
}
