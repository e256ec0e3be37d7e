using System.Runtime.CompilerServices;
using System.Security.Claims;
using Headstart.Access;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Uploads.Archives;
using Headstart.Uploads.Bodies;
using Headstart.Uploads.Files;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Headstart.BatchPredictions;

/// <summary>An image or text to be added to a batch.</summary>
/// <param name="Answer">Why it cannot be predicted, if already known.</param>
/// <param name="Bytes">Number of bytes stored for it.</param>
internal sealed record NewItem(string FileName, byte[]? Sha256, string? Text, Guid? ExampleId, BatchAnswer? Answer, int Bytes = 0)
{
    public static NewItem Refused(string fileName, string why) => new(fileName, null, null, null, BatchAnswer.Refused(why));
}

/// <summary>
/// Reads the images of a batch from a request: files of a form or an archive, which are stored while reading, or stored images of the
/// model. If the client disconnects or the process dies meanwhile, no batch is created.
/// </summary>
internal sealed class BatchIntake(HeadstartDb db, BatchItems known, IBlobStore blobs, Usage usage, Settings settings, DataPaths paths)
{
    private static readonly int InFlight = Environment.ProcessorCount + 1;

    private readonly ImageLimits _limits = settings.Uploads.ImageLimits;
    private readonly int _maxFiles = settings.BatchPredictions.MaxFiles;

    /// <param name="model">The model of the stored images.</param>
    /// <param name="http">Contains the images, or names stored ones.</param>
    /// <returns>At least one image.</returns>
    /// <exception cref="RefusedException">The images were refused; the problem says why.</exception>
    public async Task<List<NewItem>> ReadAsync(Guid model, HttpContext http, CancellationToken cancel)
    {
        var total = http.Features.Get<IHttpMaxRequestBodySizeFeature>()!;
        var type = MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var parsed) ? parsed.MediaType.ToString().ToLowerInvariant()
            : null;
        var room = await db.RemainingQuotaAsync(http.User.AccountId(), cancel);
        if (RequestBodies.Boundary(http.Request) is { } boundary)
        {
            total.MaxRequestBodySize = null; // read one file at a time, each with its own limit
            return Checked(await TakeAsync(http.User, UploadReader.ReadAsync(http.Request, boundary, settings.Uploads.MaxFileBytes, cancel),
                room));
        }

        if (type is "application/zip" or "application/x-zip-compressed")
        {
            total.MaxRequestBodySize = settings.BatchPredictions.MaxZipBytes; // Kestrel answers 413
            await using var spool = await Spool.TakeAsync(http.Request.Body, paths.Spool, long.MaxValue, cancel);
            using var archive = await Archive.OpenAsync(spool!, new(_maxFiles, "Headstart:BatchPredictions:MaxFiles",
                settings.Uploads.MaxFileBytes, settings.BatchPredictions.MaxUnpackedBytes, "Headstart:BatchPredictions:MaxUnpackedBytes",
                "Nothing was kept; send its files in several archives."), cancel);
            return Checked(await TakeAsync(http.User, ReadAsync(archive, cancel), room));
        }

        return type is "application/json" ? Checked(
            await FindAsync(model, await Json.ReadAsync<NewBatchRequest>(http.Request, cancel) ?? new(), cancel))
            : throw new RefusedException(Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                "Send multipart/form-data with parts named file, an archive as application/zip "
                + "(curl --data-binary @photos.zip -H 'Content-Type: application/zip'), or application/json that names stored images."));
    }

    /// <summary>The files in the order of the archive's directory.</summary>
    private static async IAsyncEnumerable<UploadedFile> ReadAsync(Archive archive, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var file in archive.Files)
        {
            yield return await archive.ReadImageAsync(file, cancel);
        }
    }

    private List<NewItem> Checked(List<NewItem> items) => items.Count switch
    {
        0 => throw new RefusedException(Problems.Invalid("no-files", "The request contains or names no image, so there is nothing to "
            + "predict.")),
        _ when items.Count > _maxFiles => throw new RefusedException(Problems.Of(StatusCodes.Status413PayloadTooLarge, "too-many-files",
            $"A batch may contain {_maxFiles:N0} images; send the rest in another batch.")),
        _ => items,
    };

    /// <summary>Stores files while reading. Unusable files become items with an error.</summary>
    private async Task<List<NewItem>> TakeAsync(ClaimsPrincipal caller, IAsyncEnumerable<UploadedFile> files, RemainingQuota? room)
    {
        var items = new List<NewItem>();
        var (bytes, wanted) = (0L, 0);
        var working = new Queue<Task<NewItem>>();
        try
        {
            await foreach (var file in files)
            {
                working.Enqueue(Task.Run(() => StoreAsync(file)));
                if (working.Count == InFlight)
                {
                    items.Add(await working.Dequeue());
                    bytes += items[^1].Bytes;
                    wanted += items[^1].Answer is null ? 1 : 0;
                }

                if ((room?.Exceeded(bytes) ?? await usage.ExceededAsync(caller, wanted, CancellationToken.None)) is { } exceeded)
                {
                    throw new RefusedException(exceeded.Problem()); // the blobs stored so far are collected, as no row refers to them
                }

                if (items.Count > _maxFiles)
                {
                    break; // one too many is enough to refuse
                }
            }

            while (working.TryDequeue(out var next))
            {
                items.Add(await next);
            }

            return items;
        }
        finally
        {
            // Finish the started ones, even if another one failed.
            await ((Task)Task.WhenAll(working)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<NewItem> StoreAsync(UploadedFile file) =>
        file.Bytes is null ? NewItem.Refused(file.FileName, file.Unusable!.Detail)
        // Damage that the header does not reveal is found by the decode.
        : ImageReader.CheckHeader(file.Bytes, _limits) is { } refusal ? NewItem.Refused(file.FileName, refusal.Detail)
        : new(file.FileName, await blobs.PutAsync(file.Bytes, CancellationToken.None), null, null, null, file.Bytes.Length);

    private async Task<List<NewItem>> FindAsync(Guid model, NewBatchRequest request, CancellationToken cancel)
    {
        if (request.Images is null == request.ImageIds is null
            || request is { Texts: not null } or { StoredTexts: not null } or { TextIds: not null })
        {
            throw new RefusedException(Problems.Invalid("no-images-named",
                """Name stored images: {"images":{}} for all or a filtered part of them, or {"imageIds":[...]}."""));
        }

        return request.ImageIds is { } ids ? await known.NamedAsync(model, ids, "image", cancel)
            : await known.ChosenAsync(model, request.Images!.Category, request.Images.Split, labelled: null, _maxFiles, cancel);
    }
}
