using Headstart.Data;
using Headstart.Jobs;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <summary>Makes an import of the body of an upload.</summary>
public sealed class ImportIntake(HeadstartDb db, ImportSources sources, JobQueue queue, TimeProvider clock)
{
    /// <summary>The import that the same key made before.</summary>
    public async Task<Import?> FindAsync(Guid model, string? key, CancellationToken cancel) =>
        key is null ? null : await db.Imports.AsNoTracking().SingleOrDefaultAsync(i => i.ModelId == model && i.IdempotencyKey == key, cancel);

    /// <param name="model">Takes the images.</param>
    /// <param name="contentType">Says how to read the body.</param>
    /// <param name="body">Seekable.</param>
    /// <param name="total">What is in it.</param>
    /// <param name="key">Makes one import, however often it comes.</param>
    /// <param name="cancel">Ends the keeping.</param>
    /// <returns>null when the model is gone.</returns>
    public async Task<Import?> StartAsync(Guid model, string contentType, Stream body, int total, string? key, CancellationToken cancel)
    {
        Import import;
        try
        {
            import = await sources.KeepAsync(body, source => NewImport(model, contentType, source, total, key), cancel);
        }
        catch (DbUpdateException e) when (e.IsDuplicate())
        {
            return await FindAsync(model, key, cancel); // its twin was a moment faster
        }
        catch (DbUpdateException e) when (e.IsOrphan())
        {
            return null;
        }

        // If we die here the import is queued and the sweep enqueues it.
        queue.Enqueue(ImportJob.Kind, import.Id);
        return import;
    }

    private Import NewImport(Guid model, string contentType, byte[] source, int total, string? key) => new()
    {
        Id = Guid.CreateVersion7(),
        ModelId = model,
        State = JobState.Queued,
        ContentType = contentType,
        Source = source,
        Total = total,
        IdempotencyKey = key,
        CreatedAt = clock.Now(),
    };
}
