using System.Runtime.CompilerServices;
using Hangfire;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Fetching;
using Headstart.Images;
using Headstart.Operations;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Imports;

/// <summary>
/// Takes an import from its mark to its end, letting those go first who wait for a prediction. May be started twice and die anywhere, see
/// <see cref="ImportClaim"/>.
/// </summary>
public sealed partial class ImportJob(
    IDbContextFactory<HeadstartDb> databases, ImportSources sources, IBlobStore blobs, WebFetcher web, Cores cores, Settings settings, TimeProvider clock,
    ILogger<ImportJob> log)
{
    public const string Queue = "imports";
    private const int MaxAttempts = 5;

    [Queue(Queue), AutomaticRetry(Attempts = 0)] // the sweep wakes lost imports; a retry here would only be a twin
    public async Task RunAsync(Guid importId, CancellationToken stopping)
    {
        await using var claim = await ImportClaim.TakeAsync(databases, importId, clock, stopping);
        if (claim is null)
        {
            return;
        }

        var left = TimeSpan.FromSeconds(settings.Uploads.MaxImportSeconds) - (clock.Now() - claim.Import.StartedAt!.Value);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(claim.Token);
        deadline.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        try
        {
            if (claim.Import.Attempts > MaxAttempts)
            {
                throw UploadRefusedException.Invalid("import-failed", $"The import was started {MaxAttempts} times at the same image and its worker "
                    + "died each time; the log of the host may say why. What was taken until then stays.");
            }

            await TakeAsync(claim, deadline.Token);
            await EndAsync(claim, ImportState.Succeeded, null);
        }
        catch (UploadRefusedException e)
        {
            await EndAsync(claim, ImportState.Failed, e.Message);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await claim.ReleaseAsync();
        }
        catch (OperationCanceledException) when (claim.Token.IsCancellationRequested)
        {
            Log.Left(log, importId); // cancelled, deleted, or a twin is ahead
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            await EndAsync(claim, ImportState.Failed, $"The import did not end within {settings.Uploads.MaxImportSeconds:0} seconds "
                + "(Headstart:Uploads:MaxImportSeconds). What was taken until then stays; sending the same again goes on there.");
        }
        catch (Exception e) when (ExceptionProblems.Describe(e) is var (status, type, detail))
        {
            JobFailures.Note(log, "Import", importId, e);
            // While the database is away the import stays claimed; the sweep wakes it when nothing was heard of it for a while.
            if (type == ExceptionProblems.BlobStoreAway)
            {
                await claim.ReleaseAsync(later: true); // costs no attempt: there may be many until the store is back
            }
            else if (status != StatusCodes.Status503ServiceUnavailable)
            {
                await EndAsync(claim, ImportState.Failed, status < 500 || status == StatusCodes.Status507InsufficientStorage ? detail
                    : "The import ended in an unexpected error, which is in the log of the host. What was taken until then stays.");
            }
        }
    }

    private async Task TakeAsync(ImportClaim claim, CancellationToken cancel)
    {
        var import = claim.Import;
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Models.AsNoTracking().SingleOrDefaultAsync(m => m.Id == import.ModelId, cancel) is not { } model)
        {
            return; // the import goes with its model
        }

        var source = await sources.OpenAsync(import, cancel)
            ?? throw UploadRefusedException.Invalid("import-failed",
                "What was sent is no longer in the blob store. What was taken until then stays; send the same again.");
        using var body = await UploadBody.OpenAsync(import.ContentType, source, settings.Uploads, cancel);
        var files = PatientlyAsync(body.ReadAsync(import.Done, import.Bytes, cancel), cancel);
        await new ImageUpload(db, blobs, web, settings, clock).ReadAsync(model, files, batch => claim.WriteAsync(db, model, batch), cancel);
        cancel.ThrowIfCancellationRequested();
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

    private async Task EndAsync(ImportClaim claim, ImportState state, string? error)
    {
        if (await claim.EndAsync(state, error))
        {
            Log.Ended(log, claim.Import.Id, state, error);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Import {Import} ended: {State} {Error}")]
        public static partial void Ended(ILogger log, Guid import, ImportState state, string? error);

        [LoggerMessage(Level = LogLevel.Information, Message = "Import {Import} is not ours any more; its work stops")]
        public static partial void Left(ILogger log, Guid import);
    }
}
