namespace Headstart.Learning.Backbones;

/// <summary>Timeouts and retries of downloads.</summary>
public sealed record DownloadSettings
{
    /// <summary>A transfer without a byte for this long has stalled.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Further attempts after an interruption, a stall or a server error; the count restarts after <see cref="RetryReset"/>
    /// bytes.</summary>
    public int Retries { get; init; } = 4;

    /// <summary>Whether to retry if no connection can be made at all. A waiting user should learn immediately that this machine has no
    /// internet access; interrupted transfers are always retried.</summary>
    public bool RetryUnreachable { get; init; } = true;

    /// <summary>Wait before the second attempt; doubles with each further one, unless the server sets a time.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait that a server may ask for.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes after which a connection counts as working.</summary>
    public long RetryReset { get; init; } = 1 << 20;

    public int Redirects { get; init; } = 5;
}
