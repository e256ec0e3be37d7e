
namespace Headstart.Configuration;

/// <summary>Default quotas of new accounts; unlimited by default. The installation's first account has none.</summary>
public sealed class QuotaSettings
{
    public long? Images { get; set; }

    public long? Bytes { get; set; }

    public long? Models { get; set; }

    public long? PredictionsPerDay { get; set; }

    public long? ConcurrentRuns { get; set; }

    internal string? Problem() =>
        Images < 0 || Bytes < 0 || Models < 0 || PredictionsPerDay < 0 || ConcurrentRuns < 0
            ? "The settings under Headstart:Quotas must not be negative; leave one out for no limit." : null;
}

/// <summary>Rate limits. 0 means no limit.</summary>
public sealed class RateLimitSettings
{
    /// <summary>Requests with one API key, or by a user signed in with it.</summary>
    public int PerKeyPerSecond { get; set; }

    /// <summary>Requests from one IP address, with or without a key.</summary>
    public int PerAddressPerSecond { get; set; }

    /// <summary>
    /// Failed sign-ins from one IP address. Beyond the limit no key from it is checked, not even a valid one, to stop guessing.
    /// </summary>
    public int FailedSignInsPerMinute { get; set; } = 30;

    internal string? Problem() =>
        PerKeyPerSecond < 0 || PerAddressPerSecond < 0 || FailedSignInsPerMinute < 0
            ? "The settings under Headstart:RateLimits must not be negative; 0 means no limit." : null;
}
