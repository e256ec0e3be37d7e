using System.Buffers.Binary;
using System.Net;
using System.Threading.RateLimiting;

namespace Headstart.Access;

/// <summary>
/// Prevents guessing of keys: an IP address that sent too many unknown keys must wait before its next one is checked. Repeating the same
/// wrong key counts once, so a script with an old key does not lock out others behind its address. Concurrent requests may all be checked
/// before the first one counts; the server limits their number.
/// </summary>
public sealed class KeyGuesses(Settings settings) : IDisposable
{
    private const int Remembered = 1 << 12;

    private readonly byte[]?[] _refused = new byte[]?[Remembered]; // indexed by the first bytes of the hash; later ones overwrite
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
