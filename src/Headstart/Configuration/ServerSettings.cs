using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Headstart.Configuration;

/// <summary>Connection limits of the server. Body sizes are limited where bodies are read.</summary>
public sealed class ServerSettings
{
    // The rate is first measured after this time.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Maximum number of connections; further ones are closed at once. null for no limit.</summary>
    public int? MaxConnections { get; set; }

    /// <summary>How long the head of a request may take to arrive.</summary>
    public double HeadSeconds { get; set; } = 15;

    /// <summary>Slower uploads and downloads are aborted, so that a few clients cannot block everything. 0 means no
    /// limit.</summary>
    public int MinBytesPerSecond { get; set; } = 240;

    internal void Apply(KestrelServerLimits limits)
    {
        limits.MaxRequestLineSize = 8 << 10;
        limits.MaxRequestHeaderCount = 100;
        limits.MaxRequestHeadersTotalSize = 32 << 10;
        limits.MaxRequestBufferSize = 1 << 20; // bytes received before a handler asks for them
        limits.MaxResponseBufferSize = 64 << 10;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(HeadSeconds);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(130); // longer than the usual minute of proxies, which should close first
        limits.MinRequestBodyDataRate = limits.MinResponseDataRate = MinBytesPerSecond > 0 ? new(MinBytesPerSecond, Grace) : null;
        limits.MaxConcurrentConnections = limits.MaxConcurrentUpgradedConnections = MaxConnections;
    }

    internal string? Problem() =>
        MaxConnections is < 1 ? "Headstart:Server:MaxConnections must be at least 1; leave it out for no limit."
        : HeadSeconds is not (>= 1 and <= 3_600) ? "Headstart:Server:HeadSeconds must be between 1 and 3600."
        : MinBytesPerSecond < 0 ? "Headstart:Server:MinBytesPerSecond must not be negative; 0 means no limit."
        : null;
}
