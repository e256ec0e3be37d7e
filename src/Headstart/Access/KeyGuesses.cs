using System.Buffers.Binary;
using System.Net;
using System.Threading.RateLimiting;

namespace Headstart.Access;

/// <summary>
/// Keeps strangers from finding a key by trying: an address that sent too many keys which are not known here must wait before the next one
/// is looked at. The same wrong key again is no guess and costs nothing, so a script with an old key does not shut out whoever shares its
/// address. Requests that are under way at the same moment may all be looked at before the first is counted; their number is bounded by the
/// server's.
/// </summary>
public sealed class KeyGuesses(Settings settings) : IDisposable
{
    private const int Remembered = 1 << 12;

    private readonly byte[]?[] _refused = new byte[]?[Remembered]; // each at the place that its first bytes name; a later one takes it over
    private readonly TimeSpan _each = TimeSpan.FromMinutes(1) / Math.Max(1, settings.RateLimits.FailedSignInsPerMinute);
    private readonly PartitionedRateLimiter<IPAddress>? _guesses = settings.RateLimits.FailedSignInsPerMinute is > 0 and var most
        ? PartitionedRateLimiter.Create<IPAddress, int>(address => RateLimitPartition.GetTokenBucketLimiter(
            RateLimits.BucketOf(address), _ => RateLimits.Bucket(most, 1, TimeSpan.FromMinutes(1) / most)))
        : null;

    /// <summary>How long this IP address must wait before its next key is checked; null for no wait.</summary>
    public TimeSpan? Wait(HttpContext http) =>
        _guesses is not null && http.Connection.RemoteIpAddress is { } address
            && _guesses.GetStatistics(address)?.CurrentAvailablePermits is 0 ? _each : null;

    /// <summary>Counts a request with an unknown key.</summary>
    public void Count(HttpContext http, byte[] hash)
    {
        ref var place = ref _refused[BinaryPrimitives.ReadUInt16LittleEndian(hash) & (Remembered - 1)];
        if (_guesses is not null && http.Connection.RemoteIpAddress is { } address && Interlocked.Exchange(ref place, hash)?.AsSpan()
            .SequenceEqual(hash) is not true)
        {
            _guesses.AttemptAcquire(address).Dispose();
        }
    }

    public void Dispose() => _guesses?.Dispose();
}
