using System.Runtime.CompilerServices;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Jobs;
using Headstart.Uploads.Bodies;
using Headstart.Uploads.Files;
using Headstart.Uploads.Storing;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads.Imports;

/// <summary>
/// Continues an import from its mark to its end, giving way to predictions. Files are added in order, in transactions that also advance the
/// mark.
/// </summary>
internal sealed class ImportJob(
    IDbContextFactory<HeadstartDb> databases, ImportSources sources, IBlobStore blobs, WebFetcher web, Cores cores, Settings settings,
    TimeProvider clock) : IJob
{
    public static readonly JobKind Kind = new("imports", "imports", "import", "Images added so far stay.")
    {
        AtOnce = 3, // so that imports waiting for a slow web host do not block others
    };

    public async Task<JobEnd?> RunAsync(JobLease lease)
    {
        await using var db = await databases.CreateDbContextAsync(lease.Token);
        var import = await db.Imports.AsNoTracking().SingleOrDefaultAsync(i => i.Id == lease.Id, lease.Token);
        var model = await db.Models.AsNoTracking().SingleOrDefaultAsync(m => m.Id == lease.ModelId, lease.Token);
        if (import is null || model is null)
        {
            return null; // deleted
        }

        var longest = settings.Uploads.MaxImportSeconds;
        lease.EndsIn(TimeSpan.FromSeconds(longest), $"The import did not finish within {longest:0} seconds "
            + "(Headstart:Uploads:MaxImportSeconds). Images added so far stay; send the same upload again to add the rest.");
        if (await sources.OpenAsync(import, lease.Token) is not { } source)
        {
            return JobEnd.Failed("The upload is no longer in the blob store. Images added so far stay; send it again to add the rest.");
        }

        using var body = await UploadBody.OpenAsync(import.ContentType, source, model.Kind, import.Categories, settings.Uploads,
            lease.Token);
        var files = PatientlyAsync(body.ReadAsync(import.Done, import.Bytes, lease.Token), lease.Token);
        var (done, started) = (import.Done, clock.GetTimestamp());
        var upload = new ImageUpload(db, blobs, web, settings, clock);
        await upload.ReadAsync(model, files, async batch =>
        {
            var secondsEach = clock.GetElapsedTime(started).TotalSeconds / (done + batch.Count - import.Done);
            await WriteAsync(db, lease, model, batch, done, secondsEach);
            done += batch.Count;
        }, lease.Token);
        lease.Token.ThrowIfCancellationRequested();
        await NoticeAsync(db, lease, upload.Notices());
        return JobEnd.Succeeded;
    }

    /// <summary>If the process dies before this, the notices are lost; those about categories are also on the model.</summary>
    private static async Task NoticeAsync(HeadstartDb db, JobLease lease, List<string>? notices)
    {
        if (notices is not null)
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            await db.HoldModelAsync(lease.ModelId); // writing a row twice locks its model again
            await lease.HoldAsync(db);
            await db.Database.ExecuteSqlAsync($"UPDATE imports SET notices = notices || {notices} WHERE id = {lease.Id}");
            await transaction.CommitAsync();
        }
    }

    /// <summary>
    /// Adds files to the model and advances the mark in one transaction: if the process dies before the commit, they are added again later;
    /// after it, never. If only the answer to a commit was lost, the same files come again, and those before the mark are left out.
    /// </summary>
    private async Task WriteAsync(HeadstartDb db, JobLease lease, Model model, IReadOnlyList<CheckedFile> files, int done,
        double secondsEach)
    {
        await using var transaction = await db.Database.BeginTransactionAsync();
        await db.HoldModelAsync(model.Id);
        await lease.HoldAsync(db);
        var known = await db.Imports.Where(i => i.Id == lease.Id).Select(i => i.Done - done).SingleAsync();
        (files, done) = ([.. files.Skip(known)], done + known);
        var (taken, _) = await new ImageBatch(db, model, files, confirmed: false).StoreAsync(clock.Now());
        await RejectAsync(db, lease.Id, taken, done);
        var (accepted, there) = (taken.Where(t => t.Example is not null).ToList(), taken.Count(t => t.AlreadyThere));
        var bytes = accepted.Sum(t => (long)t.Example!.Bytes);
        await db.Database.ExecuteSqlAsync($"""
            UPDATE imports SET done = {done + files.Count}, accepted = accepted + {accepted.Count}, already_there = already_there + {there},
                rejected = rejected + {files.Count - accepted.Count}, bytes = bytes + {bytes}, seconds_left = ceil({secondsEach} * (total - {done + files.Count}))
            WHERE id = {lease.Id}
            """);
        await transaction.CommitAsync();
    }

    private static Task RejectAsync(HeadstartDb db, Guid import, List<TakenFile> taken, int done)
    {
        var rejected = taken.Index().Where(t => t.Item.Rejected is not null).Select(t => (Position: done + t.Index, File: t.Item.Rejected!))
            .ToList();
        return rejected.Count == 0 ? Task.CompletedTask : db.Database.ExecuteSqlAsync($"""
            INSERT INTO import_rejections (import_id, position, file_name, reason, detail)
            SELECT {import}, position, file_name, reason, detail
            FROM unnest({rejected.ConvertAll(r => r.Position)}, {rejected.ConvertAll(r => r.File.FileName ?? "")}, {rejected.ConvertAll(r => r.File.Reason)},
                {rejected.ConvertAll(r => r.File.Detail)}) AS new (position, file_name, reason, detail)
            """);
    }

    /// <summary>Runs on a pool thread that may block: gives way to predictions before each file.</summary>
    private async IAsyncEnumerable<UploadedFile> PatientlyAsync(IAsyncEnumerable<UploadedFile> files,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var file in files.WithCancellation(cancel))
        {
            await Task.Run(() => cores.GiveWay(cancel), cancel);
            yield return file;
        }
    }
}
