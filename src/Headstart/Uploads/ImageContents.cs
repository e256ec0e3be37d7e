using Headstart.Access;
using Headstart.Blobs;
using Headstart.Learning.Imaging;
using Headstart.Versions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Headstart.Uploads;

/// <summary>Answers with stored images.</summary>
internal sealed class ImageContents(IBlobStore blobs, Cores cores)
{
    /// <summary>Sends an image as stored, or as a JPEG that is made on one core when it is the account's turn.</summary>
    /// <param name="http">The request.</param>
    /// <param name="sha256">Name of the stored file.</param>
    /// <param name="mediaType">Its media type.</param>
    /// <param name="size">Side of the square that the JPEG must fit; null for the file as stored.</param>
    /// <param name="cancel">Leaves the queue.</param>
    /// <returns>null if the file is not in the blob store.</returns>
    public async Task<Results<FileContentHttpResult, StatusCodeHttpResult, ProblemHttpResult>?> AnswerAsync(
        HttpContext http, byte[] sha256, string mediaType, int? size, CancellationToken cancel)
    {
        if (ThumbnailSize.Refuse(size) is { } refusal)
        {
            return refusal;
        }

        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(sha256)}-{size ?? 0}\"");
        if (HasIt(http.Request.GetTypedHeaders(), tag))
        {
            Protect(http.Response);
            http.Response.GetTypedHeaders().ETag = tag;
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        }

        if (await blobs.GetAsync(sha256, cancel) is not { } bytes)
        {
            return null;
        }

        var sent = size is not { } side ? bytes
            : await cores.RunAsync(http.User.AccountId(), bytes.Length, () => ImageReader.Thumbnail(bytes, side), cancel);
        if (sent is null)
        {
            return VersionProblems.Overloaded(http);
        }

        Protect(http.Response);
        return TypedResults.Bytes(sent, size is null ? mediaType : "image/jpeg", entityTag: tag);
    }

    /// <summary>Whether the client has this image. If-Match, which comes first, is left to the result.</summary>
    private static bool HasIt(Microsoft.AspNetCore.Http.Headers.RequestHeaders asked, EntityTagHeaderValue tag) => asked.IfMatch.Count == 0
        && asked.IfNoneMatch.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(tag, useStrongComparison: false));

    /// <summary>An image never changes, and a browser must never render an uploaded file as a page; see also SafeHeaders.</summary>
    private static void Protect(HttpResponse response)
    {
        response.Headers.CacheControl = "private, max-age=31536000, immutable";
        response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
    }
}
