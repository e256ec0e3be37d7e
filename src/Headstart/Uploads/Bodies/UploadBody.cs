using Headstart.Data;
using Headstart.Uploads.Files;
using Microsoft.Net.Http.Headers;

namespace Headstart.Uploads.Bodies;

/// <summary>The kinds of bodies that contain images.</summary>
public enum UploadKind
{
    Form,
    Zip,
    Json,
    Lines,
    Table,
}

/// <summary>
/// A body that contains images. It is kept in a file or a blob store, so that an interrupted import can continue reading from any image.
/// </summary>
/// <param name="stream">Seekable; it is closed with the body.</param>
public abstract class UploadBody(Stream stream) : IDisposable
{
    public Stream Stream => stream;

    public long Length => stream.Length;

    /// <summary>
    /// Number of images, including rows and entries that are not images: as many as <see cref="ReadAsync"/> yields from the start.
    /// </summary>
    public abstract int Count { get; }

    /// <summary>Number of images that must be downloaded first.</summary>
    public virtual int Urls => 0;

    /// <summary>What the sender should know, such as what was left out, as sentences.</summary>
    public virtual IReadOnlyList<string> Notices => [];

    /// <summary>The kind of a request with this content type; null if it is not supported.</summary>
    public static UploadKind? KindOf(string? contentType) => !MediaTypeHeaderValue.TryParse(contentType, out var type) ? null
        : type.MediaType.ToString().ToLowerInvariant() switch
        {
            "multipart/form-data" => RequestBodies.Boundary(contentType) is null ? null : UploadKind.Form,
            "application/zip" or "application/x-zip-compressed" => UploadKind.Zip,
            "application/json" => UploadKind.Json,
            "application/x-ndjson" or "application/jsonl" or "application/jsonlines" => UploadKind.Lines,
            "text/csv" or "text/tab-separated-values" => UploadKind.Table,
            _ => null,
        };

    /// <summary>Inspects a body as a whole; no image is added yet.</summary>
    /// <param name="contentType">A content type known to <see cref="KindOf"/>.</param>
    /// <param name="stream">Seekable; it is closed with the body, or here if the body is refused.</param>
    /// <param name="model">The kind of the model: for a detection model boxes are read, and folders are ignored.</param>
    /// <param name="categories">The names of the model's categories, which help to interpret the folders of an archive.</param>
    /// <param name="limits">Limits for the body.</param>
    /// <exception cref="RefusedException">The body is refused.</exception>
    /// <exception cref="BadHttpRequestException">The body does not match its content type.</exception>
    public static async Task<UploadBody> OpenAsync(string contentType, Stream stream, ModelKind model,
        IReadOnlyCollection<string> categories, UploadSettings limits, CancellationToken cancel)
    {
        try
        {
            stream.Position = 0;
            return KindOf(contentType) switch
            {
                UploadKind.Zip => await ZipBody.OpenAsync(stream, model, categories, limits, cancel),
                UploadKind.Form => await FormBody.OpenAsync(stream, RequestBodies.Boundary(contentType)!, model, limits, cancel),
                { } kind => await ManifestBody.OpenAsync(kind, stream, limits, model, cancel),
                null => throw new ArgumentOutOfRangeException(nameof(contentType), contentType, "No kind of upload."),
            };
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>The images in order, starting at a position counted from 0.</summary>
    /// <param name="from">First position; earlier images are neither unpacked nor fetched.</param>
    /// <param name="unpacked">Bytes already unpacked from earlier images.</param>
    /// <exception cref="RefusedException">A limit was reached; images yielded so far may be kept.</exception>
    public abstract IAsyncEnumerable<UploadedFile> ReadAsync(int from, long unpacked, CancellationToken cancel);

    /// <summary>The images of <see cref="ReadAsync"/> from the start, as far as that needs no unpacking.</summary>
    public virtual IAsyncEnumerable<UploadedFile> NamesAsync(CancellationToken cancel) => ReadAsync(0, 0, cancel);

    public virtual void Dispose()
    {
        stream.Dispose();
        GC.SuppressFinalize(this);
    }
}
