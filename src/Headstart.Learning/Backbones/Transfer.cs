using System.Net;
using System.Net.Http.Headers;

namespace Headstart.Learning.Backbones;

/// <summary>One attempt to complete a part file over HTTP.</summary>
internal sealed class Transfer(PublishedFile published, string part, DownloadSettings settings, Action<long> report)
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    // Redirects are followed here, one by one, so that each target is checked.
    private static readonly HttpClient Client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { { "User-Agent", "Headstart" } },
    };

    private readonly long _total = published.Bytes;

    /// <summary>Resumes after the bytes in the part file. If the process dies here, the next attempt resumes from that file.</summary>
    /// <exception cref="BackboneException">Trying again would not help.</exception>
    /// <exception cref="BrokenTransferException">Trying again may help.</exception>
    public async Task RunAsync(Uri address, CancellationToken cancel)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        stall.CancelAfter(settings.Stall);
        try
        {
            await RequestAsync(address, stall);
        }
        catch (OperationCanceledException exception) when (!cancel.IsCancellationRequested)
        {
            throw stall.IsCancellationRequested
                ? new BrokenTransferException($"the server sent nothing for {settings.Stall.TotalSeconds:0.#} seconds")
                : new BrokenTransferException(
                    $"{address.Host} could not be reached ({exception.GetBaseException().Message.TrimEnd('.')})")
                { Unreachable = true };
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException) // of the network: OnDisk wraps the others
        {
            throw new BrokenTransferException($"the connection to {address.Host} failed ({exception.Message.TrimEnd('.')})")
            {
                Unreachable = exception is HttpRequestException
                {
                    HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
                        or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
                },
            };
        }
    }

    private async Task RequestAsync(Uri address, CancellationTokenSource stall)
    {
        var have = File.Exists(part) ? new FileInfo(part).Length : 0;
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.Range = have > 0 ? new RangeHeaderValue(have, null) : null;
            using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token);
            if (!IsRedirect(response.StatusCode))
            {
                await ReceiveAsync(response, have, stall);
                return;
            }

            address = Target(address, response, redirects);
        }
    }

    private Uri Target(Uri address, HttpResponseMessage response, int redirects)
    {
        if (redirects >= settings.Redirects)
        {
            throw new BackboneException($"the server redirects more than {settings.Redirects} times");
        }

        var target = response.Headers.Location ?? throw new BackboneException("the server redirects without a target URL");
        target = target.IsAbsoluteUri ? target : new Uri(address, target);
        return target.Scheme is "http" or "https" ? target
            : throw new BackboneException($"the server redirects to a '{target.Scheme}' URL, which is not followed");
    }

    private async Task ReceiveAsync(HttpResponseMessage response, long have, CancellationTokenSource stall)
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent:
                var range = response.Content.Headers.ContentRange;
                if (range?.From != have || (range.Length is { } length && length != _total))
                {
                    File.Delete(part);
                    throw new BrokenTransferException("the server's file has a different length, or the server sent a different part "
                        + "than requested");
                }

                break;
            case HttpStatusCode.OK:
                have = 0; // the server does not support ranges: start again
                CheckAnnounced(response.Content.Headers.ContentLength);
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable when have > 0:
                File.Delete(part);
                throw new BrokenTransferException("the server's file is shorter than the part already downloaded");
            case HttpStatusCode.NotFound or HttpStatusCode.Gone:
                throw new BackboneException($"there is no file at its URL ({(int)response.StatusCode})");
            case HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError:
                throw new BrokenTransferException($"the server is overloaded or failing ({(int)response.StatusCode})", Wait(response));
            default:
                throw new BackboneException($"the server refuses the download ({(int)response.StatusCode})");
        }

        await CopyAsync(response, have, stall);
    }

    private void CheckAnnounced(long? length)
    {
        if (length is not null && length != _total)
        {
            throw new BackboneException($"the server announces {length} bytes, but the catalogue says {_total}: it is a different file");
        }
    }

    private async Task CopyAsync(HttpResponseMessage response, long have, CancellationTokenSource stall)
    {
        await using var body = await response.Content.ReadAsStreamAsync(stall.Token);
        var mode = have > 0 ? FileMode.Append : FileMode.Create;
        await using var file = OnDisk(() => new FileStream(part, mode, FileAccess.Write, FileShare.Read, bufferSize: 0));
        var buffer = new byte[1 << 16];
        while (await body.ReadAsync(buffer, stall.Token) is > 0 and var count)
        {
            if (have + count > _total)
            {
                file.SetLength(0);
                throw new BackboneException($"the server sends more than the {_total} bytes in the catalogue: it is a different file");
            }

            OnDisk(() => file.Write(buffer, 0, count));
            report(have += count);
            stall.CancelAfter(settings.Stall);
        }

        OnDisk(() => file.Flush(flushToDisk: true)); // the rename must not reach the disk before the bytes
        if (have < _total)
        {
            throw new BrokenTransferException($"the connection ended after {have} of {_total} bytes");
        }
    }

    private void OnDisk(Action write) => OnDisk(() =>
    {
        write();
        return true;
    });

    private T OnDisk<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackboneException(
                $"it cannot be written to {Path.GetDirectoryName(part)}: {exception.Message.TrimEnd('.')}", exception);
        }
    }

    private static bool IsRedirect(HttpStatusCode status) => (int)status is 301 or 302 or 303 or 307 or 308;

    private static TimeSpan? Wait(HttpResponseMessage response) => response.Headers.RetryAfter?.Delta;
}

/// <summary>An interrupted transfer; the bytes so far are kept.</summary>
internal sealed class BrokenTransferException(string message, TimeSpan? wait = null) : Exception(message)
{
    /// <summary>How long the server asks to wait.</summary>
    public TimeSpan? Wait { get; } = wait;

    /// <summary>No connection was made.</summary>
    public bool Unreachable { get; init; }
}
