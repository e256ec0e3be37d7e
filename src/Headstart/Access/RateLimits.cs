using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;

namespace Headstart.Access;

/// <summary>
/// Token buckets in the memory of this host: each web node counts for itself. Endpoints with <c>DisableRateLimiting</c>, such as health,
/// have no limit. Requests that pages make inside the host are not counted again: the browser's request was.
/// </summary>
public static class RateLimits
{
    private const int MostBuckets = 1 << 16; // more IP addresses share buckets, so memory is bounded

    /// <summary>Runs after routing and before the key is checked.</summary>
    public static void UseAddressLimit(this WebApplication app, Settings settings)
    {
        if (settings.RateLimits.PerAddressPerSecond is > 0 and var limit)
        {
            app.UseRateLimiter(Options(PartitionedRateLimiter.Create<HttpContext,
                int>(http => http.Connection.RemoteIpAddress is { } address
                ? RateLimitPartition.GetTokenBucketLimiter(BucketOf(address), _ => Bucket(limit, limit, TimeSpan.FromSeconds(1)))
                : RateLimitPartition.GetNoLimiter(-1))));
        }
    }

    /// <summary>Runs after authentication: only valid keys have a bucket.</summary>
    public static void UseKeyLimit(this WebApplication app, Settings settings)
    {
        if (settings.RateLimits.PerKeyPerSecond is > 0 and var limit)
        {
            app.UseRateLimiter(Options(PartitionedRateLimiter.Create<HttpContext, Guid>(http =>
                http.User.Identity?.IsAuthenticated is true && !http.Items.ContainsKey(KeyAuthentication.HashItem)
                ? RateLimitPartition.GetTokenBucketLimiter(http.User.KeyId(), _ => Bucket(limit, limit, TimeSpan.FromSeconds(1)))
                : RateLimitPartition.GetNoLimiter(Guid.Empty))));
        }
    }

    /// <summary>Answers 429 and says when to try again, in a header and in a sentence.</summary>
    public static Task TooManyAsync(this HttpContext http, TimeSpan wait, string why)
    {
        var seconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
        http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return http.AnswerAsync(Problems.Of(StatusCodes.Status429TooManyRequests, "too-many-requests",
            $"{why}; try again in {seconds} s."));
    }

    /// <summary>One bucket per IPv4 address and per IPv6 network (/64), the size that providers assign to a customer.</summary>
    internal static int BucketOf(IPAddress address)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        var hash = new HashCode(); // seeded per process: an attacker cannot choose to share another's bucket
        hash.AddBytes(address.GetAddressBytes().AsSpan(0, address.AddressFamily == AddressFamily.InterNetworkV6 ? 8 : 4));
        return hash.ToHashCode() & (MostBuckets - 1);
    }

    internal static TokenBucketRateLimiterOptions Bucket(int most, int each, TimeSpan period) =>
        new() { TokenLimit = most, TokensPerPeriod = each, ReplenishmentPeriod = period };

    private static RateLimiterOptions Options(PartitionedRateLimiter<HttpContext> limiter) => new()
    {
        GlobalLimiter = limiter,
        OnRejected = static (context, _) => new(context.HttpContext.TooManyAsync(
            context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.Zero, "Too many requests with this API "
                + "key or from your IP address")),
    };
}
