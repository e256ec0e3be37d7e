using Headstart.Data;
using Headstart.Jobs;
using Headstart.Uploads.Bodies;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads.Imports;

/// <summary>Turns the body of an upload into an import.</summary>
public sealed class ImportIntake(HeadstartDb db, ImportSources sources, JobWaker waker, TimeProvider clock)
{
    /// <summary>The import that the same key created earlier.</summary>
    public async Task<Import?> FindAsync(Guid model, string? key, CancellationToken cancel) =>
        key is null ? null : await db.Imports.AsNoTracking()
            .SingleOrDefaultAsync(i => i.ModelId == model && i.IdempotencyKey == key, cancel);

    /// <param name="model">Receives the images; with its categories.</param>
    /// <param name="contentType">Determines how the body is read.</param>
    /// <param name="body">The opened body.</param>
    /// <param name="key">Idempotency key: creates one import, however often it is sent.</param>
    /// <returns>null if the model was deleted.</returns>
    /// <exception cref="RefusedException">The account has no room for the body.</exception>
    public async Task<Import?> StartAsync(Model model, string contentType, UploadBody body, string? key, CancellationToken cancel)
    {
        Import import;
        try
        {
            import = await sources.KeepAsync(body.Stream, model.AccountId, source => NewImport(model, contentType, source, body, key),
                cancel);
        }
        catch (DbUpdateException e) when (e.IsDuplicate())
        {
            return await FindAsync(model.Id, key, cancel); // a concurrent request with the same key was faster
        }
        catch (DbUpdateException e) when (e.IsOrphan())
        {
            return null;
        }

        // If the process dies here, the import is queued and the sweep enqueues it.
        waker.Wake(ImportJob.Kind, import.Id);
        return import;
    }

    private Import NewImport(Model model, string contentType, byte[] source, UploadBody body, string? key) => new()
    {
        Id = Guid.CreateVersion7(),
        ModelId = model.Id,
        State = JobState.Queued,
        ContentType = contentType,
        Source = source,
        SourceBytes = body.Length,
        Total = body.Count,
        Categories = [.. model.Categories.Select(c => c.Name)],
        Notices = [.. body.Notices],
        IdempotencyKey = key,
        CreatedAt = clock.Now(),
    };
}
