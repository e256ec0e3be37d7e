using System.Runtime.CompilerServices;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Jobs;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads;

/// <summary>
/// Takes an import from its mark to its end, letting those go first who wait for a prediction. Files are taken in their order, by a transaction that also
/// moves the mark behind them.
/// </summary>
internal sealed class ImportJob(
    IDbContextFactory<HeadstartDb> databases, ImportSources sources, IBlobStore blobs, WebFetcher web, Cores cores, Settings settings, TimeProvider clock) : IJob
{
    public static readonly JobKind Kind = new("imports", "imports", "import", "What was taken until then stays.")
    {
        AtOnce = 3, // one that fetches from a slow host leaves the cores to the others
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
        lease.EndsIn(TimeSpan.FromSeconds(longest) - (clock.Now() - lease.StartedAt), $"The import did not end within {longest:0} seconds "
            + "(Headstart:Uploads:MaxImportSeconds). What was taken until then stays; sending the same again goes on there.");
        if (await sources.OpenAsync(import, lease.Token) is not { } source)
        {
            return JobEnd.Failed("What was sent is no longer in the blob store. What was taken until then stays; send the same again.");
        }

        try
        {
            using var body = await UploadBody.OpenAsync(import.ContentType, source, settings.Uploads, lease.Token);
            var files = PatientlyAsync(body.ReadAsync(import.Done, import.Bytes, lease.Token), lease.Token);
            var (done, started) = (import.Done, clock.GetTimestamp());
            await new ImageUpload(db, blobs, web, settings, clock).ReadAsync(model, files, async batch =>
            {
                var secondsEach = clock.GetElapsedTime(started).TotalSeconds / (done + batch.Count - import.Done);
                await WriteAsync(db, lease, model, batch, done, secondsEach);
                done += batch.Count;
            }, lease.Token);
            lease.Token.ThrowIfCancellationRequested();
            return JobEnd.Succeeded;
        }
        catch (UploadRefusedException e)
        {
            return JobEnd.Failed(e.Message);
        }
    }

    /// <summary>
    /// Takes files into the model and moves the mark behind them, both or neither: if the process dies before the commit they are taken anew, and after
    /// it never again.
    /// </summary>
    private async Task WriteAsync(HeadstartDb db, JobLease lease, Model model, IReadOnlyList<CheckedFile> files, int done, double secondsEach)
    {
        await using var transaction = await db.Database.BeginTransactionAsync();
        await db.HoldModelAsync(model.Id);
        await lease.HoldAsync(db);
        var (taken, _) = await new ImageBatch(db, model, files, confirmed: false).StoreAsync(clock.Now());
        await RejectAsync(db, lease.Id, taken, done);
        var (accepted, there) = (taken.Where(t => t.Example is not null).ToList(), taken.Count(t => t.AlreadyThere));
        var bytes = accepted.Sum(t => (long)t.Example!.Bytes);
        await db.Database.ExecuteSqlAsync($"""
            UPDATE imports SET done = done + {files.Count}, accepted = accepted + {accepted.Count}, already_there = already_there + {there},
                rejected = rejected + {files.Count - accepted.Count}, bytes = bytes + {bytes}, seconds_left = ceil({secondsEach} * (total - done - {files.Count}))
            WHERE id = {lease.Id}
            """);
        await transaction.CommitAsync();
    }

    private static Task RejectAsync(HeadstartDb db, Guid import, List<TakenFile> taken, int done)
    {
        var rejected = taken.Index().Where(t => t.Item.Rejected is not null).Select(t => (Position: done + t.Index, File: t.Item.Rejected!)).ToList();
        return rejected.Count == 0 ? Task.CompletedTask : db.Database.ExecuteSqlAsync($"""
            INSERT INTO import_rejections (import_id, position, file_name, reason, detail)
            SELECT {import}, position, file_name, reason, detail
            FROM unnest({rejected.ConvertAll(r => r.Position)}, {rejected.ConvertAll(r => r.File.FileName ?? "")}, {rejected.ConvertAll(r => r.File.Reason)},
                {rejected.ConvertAll(r => r.File.Detail)}) AS new (position, file_name, reason, detail)
            """);
    }

    /// <summary>On a thread of the pool that may wait: a prediction goes before each file.</summary>
    private async IAsyncEnumerable<UploadedFile> PatientlyAsync(IAsyncEnumerable<UploadedFile> files, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var file in files.WithCancellation(cancel))
        {
            await Task.Run(() => cores.GiveWay(cancel), cancel);
            yield return file;
        }
    }
}
