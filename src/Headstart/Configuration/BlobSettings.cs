namespace Headstart.Configuration;

/// <summary>Section <c>Headstart:Blobs</c>: where blobs are stored, and how long unreferenced ones are kept.</summary>
public sealed class BlobSettings
{
    private static readonly TimeSpan LongestFreshness = TimeSpan.FromMinutes(5);

    /// <summary>Whether workers delete blobs that nothing refers to any more.</summary>
    public bool Collect { get; set; } = true;

    public double CollectEveryHours { get; set; } = 24;

    /// <summary>
    /// How long an unreferenced blob stays in its place, and then how long it is set aside. Must be longer than any upload, because a blob
    /// is stored before the row that refers to it is committed.
    /// </summary>
    public double GraceHours { get; set; } = 24;

    public S3Settings S3 { get; set; } = new();

    internal TimeSpan Grace => TimeSpan.FromHours(GraceHours);

    /// <summary>Storing a blob again renews its time if it is older than this, so that its grace period starts again.</summary>
    internal TimeSpan Freshness => TimeSpan.FromTicks(Math.Min(LongestFreshness.Ticks, Grace.Ticks / 4));

    internal string? Problem() =>
        CollectEveryHours is not (> 0 and <= 24 * 365) ? "Headstart:Blobs:CollectEveryHours must be more than 0 and at most 8760 (a year)."
        : GraceHours is not (> 0 and <= 24 * 365) ? "Headstart:Blobs:GraceHours must be more than 0 and at most 8760 (a year)."
        : S3.Problem();
}

/// <summary>Section <c>Headstart:Blobs:S3</c>: a bucket of Amazon S3 or a compatible server. Without a bucket, blobs are stored in the data
/// folder.</summary>
public sealed class S3Settings
{
    /// <summary>URL of the server; if empty, Amazon S3 in <see cref="Region"/>.</summary>
    public string? Endpoint { get; set; }

    public string? Bucket { get; set; }

    /// <summary>If empty, the AWS SDK looks for keys in the environment, in profiles and in the machine's role.</summary>
    public string? AccessKey { get; set; }

    public string? SecretKey { get; set; }

    public string? Region { get; set; }

    /// <summary>Prefix of all object keys, because a bucket may have other uses.</summary>
    public string Prefix { get; set; } = "";

    public bool IsSet => !string.IsNullOrWhiteSpace(Bucket);

    internal string? Problem() =>
        !IsSet ? Said(Endpoint, AccessKey, SecretKey, Region, Prefix) ? "Headstart:Blobs:S3:Bucket must name the bucket, because other S3 "
            + "settings are set." : null
        : Endpoint is { Length: > 0 } endpoint && !(Uri.TryCreate(endpoint, UriKind.Absolute, out var uri)
            && uri.Scheme is "http" or "https")
            ? $"Headstart:Blobs:S3:Endpoint is \"{endpoint}\"; it must be a URL, such as https://minio.example:9000."
        : string.IsNullOrWhiteSpace(Endpoint) && string.IsNullOrWhiteSpace(Region)
            ? "Headstart:Blobs:S3:Region must be the region of the bucket, such as eu-central-1, because no Headstart:Blobs:S3:Endpoint "
                + "is set."
        : string.IsNullOrWhiteSpace(AccessKey) != string.IsNullOrWhiteSpace(SecretKey)
            ? "Headstart:Blobs:S3:AccessKey and Headstart:Blobs:S3:SecretKey belong together; set both, or neither to use this machine's "
                + "AWS credentials."
        : Prefix.Length > 200 || Prefix.Any(c => !char.IsAsciiLetterOrDigit(c) && !"/-_.".Contains(c, StringComparison.Ordinal))
            || Prefix.Split('/').Any(part => part is "." or "..")
            ? "Headstart:Blobs:S3:Prefix may contain only letters, digits, '-', '_', '.' and '/', at most 200 characters, and no part '.' "
                + "or '..'."
        : null;

    private static bool Said(params string?[] values) => values.Any(value => !string.IsNullOrWhiteSpace(value));
}
