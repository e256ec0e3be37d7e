namespace Headstart.Blobs;

/// <summary>The two stores of an installation: blobs, and the bodies of unfinished imports. Both are in the data folder, or both in a
/// bucket.</summary>
public sealed class BlobStores : IDisposable
{
    /// <summary>The key of <see cref="Imports"/> among the keyed services.</summary>
    public const string ForImports = "imports";

    private readonly S3Bucket? _bucket;

    public BlobStores(BlobSettings settings, DataPaths paths, TimeProvider clock)
    {
        if (!settings.S3.IsSet)
        {
            (Blobs, Imports) = (new FolderBlobStore(paths.Blobs, settings.Freshness, clock),
                new FolderBlobStore(paths.ImportSources, settings.Freshness, clock));
            return;
        }

        _bucket = S3Bucket.Open(settings.S3);
        var prefix = settings.S3.Prefix.Trim('/') is { Length: > 0 } own ? own + "/" : "";
        Blobs = new S3BlobStore(_bucket, prefix + "blobs/", settings.Freshness, clock);
        Imports = new S3BlobStore(_bucket, prefix + "imports/", settings.Freshness, clock);
    }

    public IBlobStore Blobs { get; }

    public IBlobStore Imports { get; }

    public void Dispose() => _bucket?.Dispose();
}
