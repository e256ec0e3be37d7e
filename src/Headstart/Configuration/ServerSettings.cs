using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Headstart.Configuration;

/// <summary>Connection limits of the server. Body sizes are limited where bodies are read.</summary>
public sealed class ServerSettings
{
    // The rate is not measured before.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Connections at the same time; more are closed at once. No limit without it.</summary>
    public int? MaxConnections { get; set; }

    /// <summary>How long the head of a request may take to arrive.</summary>
    public double HeadSeconds { get; set; } = 15;

    /// <summary>Slower bodies are given up, those that arrive and those that are fetched, so that a few clients cannot hold on to
    /// everything. 0 is no limit.</summary>
    public int MinBytesPerSecond { get; set; } = 240;

    internal void Apply(KestrelServerLimits limits)
    {
        limits.MaxRequestLineSize = 8 << 10;
        limits.MaxRequestHeaderCount = 100;
        limits.MaxRequestHeadersTotalSize = 32 << 10;
        limits.MaxRequestBufferSize = 1 << 20; // of what no handler has asked for yet
        limits.MaxResponseBufferSize = 64 << 10;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(HeadSeconds);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(130); // more than the usual minute of proxies: whoever closes first should be them
        limits.MinRequestBodyDataRate = limits.MinResponseDataRate = MinBytesPerSecond > 0 ? new(MinBytesPerSecond, Grace) : null;
        limits.MaxConcurrentConnections = limits.MaxConcurrentUpgradedConnections = MaxConnections;
    }

    internal string? Problem() =>
        MaxConnections is < 1 ? "Headstart:Server:MaxConnections must be at least 1; leave it out for no limit."
        : HeadSeconds is not (>= 1 and <= 3_600) ? "Headstart:Server:HeadSeconds must be between 1 and 3600."
        : MinBytesPerSecond < 0 ? "Headstart:Server:MinBytesPerSecond must not be negative; 0 is no limit."
        : null;
}
