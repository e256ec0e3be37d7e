using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;
using Microsoft.Security.AntiSSRF;

namespace Headstart.Fetching;

/// <summary>A downloaded file, or why it could not be downloaded.</summary>
/// <param name="FileName">The last part of its URL, only for display.</param>
/// <param name="Bytes">Null when <paramref name="Reason"/> is set.</param>
/// <param name="Reason">A stable slug, such as <c>not-found</c> or <c>private-address</c>.</param>
/// <param name="Detail">What went wrong and what to do.</param>
public sealed record FetchedFile(string FileName, byte[]? Bytes, string? Reason, string? Detail)
{
    internal static FetchedFile Not(string fileName, string reason, string detail) => new(fileName, null, reason, detail);
}

/// <summary>
/// Downloads files from URLs given by users. A URL may lead anywhere, so AntiSSRF checks the IP address when the connection is made, and
/// again for every redirect: private, loopback, link-local and other special networks are never contacted, whatever a name resolves to and
/// however often that changes. Each host gets a few requests at a time, and is tried again when it is busy.
/// </summary>
public sealed class WebFetcher : IDisposable
{
    private const int MaxRedirects = 5;
    private const int MaxAddressLength = 4_096;
    private const int Attempts = 3;
    private const int Ahead = 8; // files downloaded ahead, in memory
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(20);

    private readonly FetchingSettings _settings;
    private readonly TimeProvider _clock;
    private readonly HttpClient _guarded, _open;
    private readonly PartitionedRateLimiter<string> _perHost;

    public WebFetcher(Settings settings, TimeProvider clock)
    {
        (_settings, _clock) = (settings.Fetching, clock);
        var policy = new AntiSSRFPolicy(PolicyConfigOptions.ExternalOnlyLatest) { AllowPlainTextHttp = true };
        var guard = policy.GetHandler();
        (guard.AllowAutoRedirect, guard.UseCookies, guard.ConnectTimeout) = (false, false, TimeSpan.FromSeconds(10));
        _guarded = Client(guard);
        _open = Client(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(10)
        });
        _perHost = PartitionedRateLimiter.Create<string, string>(host => RateLimitPartition.GetConcurrencyLimiter(host,
            _ => new() { PermitLimit = _settings.RequestsPerHost, QueueLimit = int.MaxValue }), StringComparer.OrdinalIgnoreCase);

        HttpClient Client(HttpMessageHandler handler)
        {
            var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
            client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", _settings.UserAgent());
            return client;
        }
    }

    public void Dispose()
    {
        _guarded.Dispose();
        _open.Dispose();
        _perHost.Dispose();
    }

    /// <summary>Downloads an image. The reader finds out whether it is one, but pages and films are refused.</summary>
    /// <param name="url">From a user: may be anything.</param>
    /// <param name="maxBytes">A larger file is refused.</param>
    public Task<FetchedFile> FetchAsync(string url, int maxBytes, CancellationToken cancel) => FetchAsync(url, maxBytes, "image", cancel);

    /// <summary>Downloads several images at a time, in the order of their URLs; each is named by its URL.</summary>
    public async IAsyncEnumerable<FetchedFile> FetchAllAsync(IReadOnlyList<string> urls, int maxBytes,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        var ahead = new Queue<Task<FetchedFile>>();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            for (var i = 0; i < urls.Count; i++)
            {
                for (var next = i + ahead.Count; next < urls.Count && ahead.Count < Ahead; next++)
                {
                    ahead.Enqueue(FetchAsync(urls[next], maxBytes, stopping.Token));
                }

                var file = await ahead.Dequeue();
                yield return file with { FileName = RequestBodies.Readable(urls[i] ?? "") };
            }
        }
        finally
        {
            // If the caller stops early, the other fetches end now, and none is left running with an unobserved exception.
            await stopping.CancelAsync();
            await ((Task)Task.WhenAll(ahead)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Downloads JSON from an API.</summary>
    public Task<FetchedFile> FetchJsonAsync(Uri url, int maxBytes, CancellationToken cancel) =>
        FetchAsync(url.AbsoluteUri, maxBytes, "json", cancel);

    private async Task<FetchedFile> FetchAsync(string url, int maxBytes, string kind, CancellationToken cancel)
    {
        if (Read(url, null) is not { } address)
        {
            return FetchedFile.Not(RequestBodies.Readable(url ?? ""), "invalid-url",
                "Not a URL that can be fetched: use http or https, without credentials.");
        }

        for (var attempt = 1; ; attempt++)
        {
            var (file, pause) = await TryAsync(address, maxBytes, kind, cancel);
            if (pause is null || attempt == Attempts)
            {
                return file;
            }

            // Random, so that refused requests do not all retry at the same moment.
            await Task.Delay(pause.Value + Random.Shared.NextDouble() * TimeSpan.FromMilliseconds(250 << attempt), _clock, cancel);
        }
    }

    /// <summary>The file, or why not and how long to wait before another try; null if another try is useless.</summary>
    private async Task<(FetchedFile File, TimeSpan? Pause)> TryAsync(Uri address, int maxBytes, string kind, CancellationToken cancel)
    {
        var name = NameOf(address);
        using var turn = await _perHost.AcquireAsync(address.IdnHost, 1, cancel);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(_settings.MaxSeconds), _clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
        try
        {
            for (var redirects = 0; redirects <= MaxRedirects; redirects++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, address);
                request.Headers.Accept.Add(new(kind == "json" ? "application/json" : "image/*"));
                using var response = await ClientFor(address).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
                if ((int)response.StatusCode is not (>= 300 and < 400) || response.Headers.Location is null)
                {
                    return await AnswerAsync(name, response, maxBytes, kind, both.Token);
                }

                if (Read(response.Headers.Location.ToString(), address) is not { } next)
                {
                    return (FetchedFile.Not(name, "invalid-url", "The URL redirects to a URL that cannot be fetched."), null);
                }

                address = next;
            }

            return (FetchedFile.Not(name, "too-many-redirects", $"The URL redirects more than {MaxRedirects} times."), null);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return (FetchedFile.Not(name, "timeout", $"The host did not send the file within {_settings.MaxSeconds:0.#} seconds."), null);
        }
        catch (Exception e) when (Refused(e))
        {
            return (FetchedFile.Not(name, "private-address", "The URL leads to a private network or to this machine, from which Headstart "
                + "does not fetch; download the file and upload it, or ask the operator to add the host to "
                + "Headstart:Fetching:AllowedHosts."), null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            // AntiSSRF passes on exceptions of sockets and name servers.
            return (FetchedFile.Not(name, "unreachable", "The host could not be reached, or closed the connection: "
                + $"{e.GetBaseException().Message.TrimEnd('.')}."), TimeSpan.Zero);
        }
    }

    private async Task<(FetchedFile File, TimeSpan? Pause)> AnswerAsync(
        string name, HttpResponseMessage response, int maxBytes, string kind, CancellationToken cancel)
    {
        var status = (int)response.StatusCode;
        if (status == 429 || status >= 500)
        {
            return (FetchedFile.Not(name, "host-busy",
                $"The host responded with status {status}, even after retries; try again later."),
                Pause(response.Headers.RetryAfter));
        }

        if (status is 404 or 410)
        {
            return (FetchedFile.Not(name, "not-found",
                $"The host responded with status {status}: the file does not exist or was removed."), null);
        }

        if (status != 200)
        {
            return (FetchedFile.Not(name, "host-refuses", $"The host responded with status {status} instead of the file."), null);
        }

        var type = response.Content.Headers.ContentType?.MediaType;
        if (!Fits(type, kind))
        {
            return (FetchedFile.Not(name, "not-an-image",
                $"The host sent {RequestBodies.Readable(type!)} instead of an image; use the URL of the image itself, not of a page that "
                    + "shows it."), null);
        }

        var bytes = response.Content.Headers.ContentLength > maxBytes ? null
            : await RequestBodies.ReadToEndAsync(await response.Content.ReadAsStreamAsync(cancel), maxBytes, cancel);
        return (bytes is null ? FetchedFile.Not(name, "too-large", $"The file is larger than {maxBytes:N0} bytes.")
            : new(name, bytes, null, null), null);
    }

    /// <summary>Servers often send text/plain or no type at all, so only types that are certainly something else are
    /// refused.</summary>
    private static bool Fits(string? type, string kind) => kind == "json" || type is null
        || type.StartsWith("image/", StringComparison.OrdinalIgnoreCase)
        || type.ToLowerInvariant() is "application/octet-stream" or "binary/octet-stream" or "text/plain" or "application/binary"
            or "multipart/form-data";

    private HttpClient ClientFor(Uri address) =>
        _settings.AllowedHosts.Contains(address.IdnHost, StringComparer.OrdinalIgnoreCase) ? _open : _guarded;

    private TimeSpan? Pause(RetryConditionHeaderValue? retry)
    {
        var wanted = retry?.Delta ?? (retry?.Date - _clock.GetUtcNow()) ?? TimeSpan.FromSeconds(1);
        return wanted > LongestPause ? null : wanted < TimeSpan.Zero ? TimeSpan.Zero : wanted;
    }

    /// <summary>Whether AntiSSRF refused the address, or the look-up did, which rejects 0.0.0.0 and ::.</summary>
    private static bool Refused(Exception? e) => e is not null
        && (e is AntiSSRFException or ArgumentException || Refused(e.InnerException));

    private static Uri? Read(string? url, Uri? from) =>
        url is { Length: > 0 and <= MaxAddressLength }
        && (from is null ? Uri.TryCreate(url.Trim(), UriKind.Absolute, out var address) : Uri.TryCreate(from, url, out address))
        && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
            && address is { UserInfo.Length: 0, IdnHost.Length: > 0 }
            ? address
            : null;

    private static string NameOf(Uri address) =>
        RequestBodies.Readable(Uri.UnescapeDataString(address.Segments[^1].Trim('/'))) is { Length: > 0 } name ? name : address.Host;
}
