using System.Net;
using System.Runtime.CompilerServices;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Headstart.Blobs;

/// <summary>
/// A bucket: failures of its server or of the network become a <see cref="BlobStoreUnavailableException"/>. The SDK tries requests three
/// times; this class repeats downloads that break off.
/// </summary>
public sealed class S3Bucket : IDisposable
{
    private const int Attempts = 3;
    private const long LargestPut = 64 << 20; // bytes; larger ones in parts: a request has a time limit, a put one of 5 GB
    private const long PartBytes = 16 << 20;
    private const int MostParts = 10_000;
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(60);

    private readonly AmazonS3Client _client;
    private readonly string _bucket;
    private readonly string _where;

    private S3Bucket(AmazonS3Client client, string bucket, string where) => (_client, _bucket, _where) = (client, bucket, where);

    public static S3Bucket Open(S3Settings settings)
    {
        var config = new AmazonS3Config
        {
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = Attempts - 1,
            Timeout = RequestTimeout,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // Servers other than Amazon's know fewer checksums. The signature protects uploads, and blobs are compared with their names.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (string.IsNullOrWhiteSpace(settings.Endpoint))
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(settings.Region);
        }
        else
        {
            config.ServiceURL = settings.Endpoint;
            config.ForcePathStyle = true;
            config.AuthenticationRegion = string.IsNullOrWhiteSpace(settings.Region) ? "us-east-1" : settings.Region;
        }

        var client = string.IsNullOrWhiteSpace(settings.AccessKey) ? new AmazonS3Client(config)
            : new AmazonS3Client(new BasicAWSCredentials(settings.AccessKey, settings.SecretKey), config);
        return new(client, settings.Bucket!, string.IsNullOrWhiteSpace(settings.Endpoint) ? $"Amazon S3 in {settings.Region}"
            : settings.Endpoint);
    }

    /// <summary>Length and time of an object; null if there is none.</summary>
    public Task<(long Length, DateTime At)?> FindAsync(string key, CancellationToken cancel) => AskAsync<(long, DateTime)?>(async () =>
    {
        var found = await _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _bucket, Key = key }, cancel);
        return (found.ContentLength, Utc(found.LastModified));
    }, cancel);

    /// <summary>The object, or a range of it; null if there is none.</summary>
    public Task<byte[]?> GetAsync(string key, ByteRange? range, CancellationToken cancel) => AskAsync(async () =>
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var soon = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                soon.CancelAfter(RequestTimeout);
                using var answer = await _client.GetObjectAsync(new GetObjectRequest { BucketName = _bucket, Key = key, ByteRange = range },
                    soon.Token);
                var bytes = new byte[answer.ContentLength];
                await answer.ResponseStream.ReadExactlyAsync(bytes, soon.Token);
                return bytes;
            }
            catch (IOException) when (attempt < Attempts)
            {
                // The body broke off.
            }
        }
    }, cancel);

    /// <summary>Stores an object atomically.</summary>
    /// <param name="key">An existing object is replaced.</param>
    /// <param name="bytes">Seekable, at its start; left open.</param>
    public Task PutAsync(string key, Stream bytes, CancellationToken cancel) => AskAsync<bool?>(async () =>
    {
        if (bytes.Length > LargestPut)
        {
            await PutPartsAsync(key, bytes, cancel);
        }
        else
        {
            await _client.PutObjectAsync(new PutObjectRequest
            {
                BucketName = _bucket,
                Key = key,
                InputStream = bytes,
                AutoCloseStream = false,
                AutoResetStreamPosition = true,
                UseChunkEncoding = false, // signs one hash of the whole body, which every server checks
            }, cancel);
        }

        return true;
    }, cancel);

    /// <returns>False if there is nothing to copy.</returns>
    public async Task<bool> CopyAsync(string from, string to, CancellationToken cancel) => await AskAsync<bool?>(async () =>
    {
        await _client.CopyObjectAsync(new CopyObjectRequest
        {
            SourceBucket = _bucket,
            SourceKey = from,
            DestinationBucket = _bucket,
            DestinationKey = to
        }, cancel);
        return true;
    }, cancel) ?? false;

    public Task DeleteAsync(string key, CancellationToken cancel) => AskAsync<bool?>(async () =>
    {
        await _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = _bucket, Key = key }, cancel);
        return true;
    }, cancel);

    public async IAsyncEnumerable<(string Key, DateTime At)> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancel)
    {
        var request = new ListObjectsV2Request { BucketName = _bucket, Prefix = prefix };
        do
        {
            var page = (await AskAsync(() => _client.ListObjectsV2Async(request, cancel), cancel))!;
            foreach (var found in page.S3Objects ?? [])
            {
                yield return (found.Key, Utc(found.LastModified));
            }

            request.ContinuationToken = page.IsTruncated is true ? page.NextContinuationToken : null;
        }
        while (request.ContinuationToken is not null);
    }

    /// <summary>Lists one key: enough to check the server, the bucket and the access keys.</summary>
    public Task CheckAsync(string prefix, CancellationToken cancel) =>
        AskAsync(() => _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _bucket, Prefix = prefix, MaxKeys = 1 }, cancel),
            cancel);

    public void Dispose() => _client.Dispose();

    /// <summary>Uploads the parts one after the other. Dying here leaves invisible parts in the bucket; a lifecycle rule of the bucket
    /// deletes them.</summary>
    private async Task PutPartsAsync(string key, Stream bytes, CancellationToken cancel)
    {
        var upload = (await _client.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = _bucket, Key = key },
            cancel)).UploadId;
        try
        {
            var size = Math.Max(PartBytes, bytes.Length / MostParts + 1);
            var parts = new List<PartETag>();
            for (var from = 0L; from < bytes.Length; from += size)
            {
                bytes.Position = from;
                var part = await _client.UploadPartAsync(new UploadPartRequest
                {
                    BucketName = _bucket,
                    Key = key,
                    UploadId = upload,
                    PartNumber = parts.Count + 1,
                    PartSize = Math.Min(size, bytes.Length - from),
                    InputStream = bytes,
                    UseChunkEncoding = false,
                }, cancel);
                parts.Add(new(parts.Count + 1, part.ETag));
            }

            await _client.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest { BucketName = _bucket, Key = key, UploadId = upload, PartETags = parts }, cancel);
        }
        catch
        {
            await ((Task)_client.AbortMultipartUploadAsync(
                new AbortMultipartUploadRequest { BucketName = _bucket, Key = key, UploadId = upload }, CancellationToken.None))
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    private async Task<T?> AskAsync<T>(Func<Task<T>> ask, CancellationToken cancel)
    {
        try
        {
            return await ask();
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket")
        {
            return default;
        }
        catch (AmazonServiceException e)
        {
            throw Refused(e);
        }
        catch (Exception e) when (e is AmazonClientException or HttpRequestException or IOException or TimeoutException
            || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new BlobStoreUnavailableException($"The blob store ({_where}) is not responding: "
                + $"{e.GetBaseException().Message.TrimEnd('.')}.", passing: true, e);
        }
    }

    private BlobStoreUnavailableException Refused(AmazonServiceException e) => e switch
    {
        { ErrorCode: "NoSuchBucket" } => new(
            $"The blob store ({_where}) has no bucket '{_bucket}'; create it, or set Headstart:Blobs:S3:Bucket to an existing bucket.",
            passing: false, e),
        { StatusCode: HttpStatusCode.MovedPermanently or HttpStatusCode.TemporaryRedirect }
            or { ErrorCode: "AuthorizationHeaderMalformed" } => new(
            $"The bucket '{_bucket}' of the blob store ({_where}) is in another region; set Headstart:Blobs:S3:Region to its region.",
            passing: false, e),
        { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } => new(
            $"The blob store ({_where}) rejected the access key ({e.ErrorCode}); set Headstart:Blobs:S3:AccessKey and SecretKey to keys "
            + $"that may list, read, write and delete in the bucket '{_bucket}'.", passing: false, e),
        _ => new($"The blob store ({_where}) responded with {(int)e.StatusCode} {e.ErrorCode}: {e.Message.TrimEnd('.')}.",
            passing: true, e),
    };

    private static DateTime Utc(DateTime? at) => at?.ToUniversalTime() ?? DateTime.UnixEpoch;
}
