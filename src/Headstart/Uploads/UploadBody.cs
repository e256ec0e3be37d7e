using Headstart.Operations;
using Microsoft.Net.Http.Headers;

namespace Headstart.Uploads;

/// <summary>The kinds of bodies that bring images.</summary>
public enum UploadKind
{
    Form,
    Zip,
    Json,
    Lines,
    Table,
}

/// <summary>
/// A body that brings images. It lies in a file or in a blob store, so that it can be read again from any of its images: an import that was
/// interrupted goes on there.
/// </summary>
/// <param name="stream">Seekable; it is closed with the body.</param>
public abstract class UploadBody(Stream stream) : IDisposable
{
    public Stream Stream => stream;

    public long Length => stream.Length;

    /// <summary>Images, and rows and entries that are none: as many as <see cref="ReadAsync"/> yields from the start.</summary>
    public abstract int Count { get; }

    /// <summary>Images that have to be fetched first.</summary>
    public virtual int Urls => 0;

    /// <summary>What a request of this content type brings; null for something else.</summary>
    public static UploadKind? KindOf(string? contentType) => !MediaTypeHeaderValue.TryParse(contentType, out var type) ? null
        : type.MediaType.ToString().ToLowerInvariant() switch
        {
            "multipart/form-data" => RequestBodies.Boundary(contentType) is null ? null : UploadKind.Form,
            "application/zip" or "application/x-zip-compressed" => UploadKind.Zip,
            "application/json" => UploadKind.Json,
            "application/x-ndjson" or "application/jsonl" or "application/jsonlines" => UploadKind.Lines,
            "text/csv" => UploadKind.Table,
            _ => null,
        };

    /// <summary>Looks at a body as a whole; nothing of it is taken yet.</summary>
    /// <param name="contentType">Of which <see cref="KindOf"/> knows the kind.</param>
    /// <param name="stream">Seekable; it is closed with the body.</param>
    /// <param name="limits">What may be in it.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="UploadRefusedException">It cannot be taken.</exception>
    /// <exception cref="BadHttpRequestException">It is not what its content type says.</exception>
    public static async Task<UploadBody> OpenAsync(string contentType, Stream stream, UploadSettings limits, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Position = 0;
        return KindOf(contentType) switch
        {
            UploadKind.Zip => await ZipBody.OpenAsync(stream, limits, cancel),
            UploadKind.Form => await FormBody.OpenAsync(stream, RequestBodies.Boundary(contentType)!, limits, cancel),
            { } kind => await ManifestBody.OpenAsync(kind, stream, limits, cancel),
            null => throw new ArgumentOutOfRangeException(nameof(contentType), contentType, "No kind of upload."),
        };
    }

    /// <summary>Images in their order, from the one at a position on, counted from 0.</summary>
    /// <param name="from">What comes before is neither unpacked nor fetched.</param>
    /// <param name="unpacked">Bytes that were unpacked of what comes before.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="UploadRefusedException">A limit was reached; what was yielded until then may be kept.</exception>
    public abstract IAsyncEnumerable<UploadedFile> ReadAsync(int from, long unpacked, CancellationToken cancel);

    public virtual void Dispose()
    {
        stream.Dispose();
        GC.SuppressFinalize(this);
    }
}
