namespace Headstart.Learning.Backbones;

/// <summary>How patient a download is.</summary>
public sealed record DownloadSettings
{
    /// <summary>A transfer that brings no byte for this long has stalled.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Further attempts after a break, a stall, an overloaded or a failing server; the count restarts once <see cref="RetryReset"/> bytes
    /// came.
    /// </summary>
    public int Retries { get; init; } = 4;

    /// <summary>
    /// Whether to retry if no connection can be made at all. A person who waits would rather learn immediately that this machine has no
    /// internet access; a broken connection is always retried.
    /// </summary>
    public bool RetryUnreachable { get; init; } = true;

    /// <summary>Wait before the second attempt; doubles with each further one, unless the server names a time.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait that a server may ask for.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes that show a connection to be of use.</summary>
    public long RetryReset { get; init; } = 1 << 20;

    public int Redirects { get; init; } = 5;
}
