using Headstart.Configuration;
using Headstart.Fetching;
using Headstart.Tests.Uploads;
using Microsoft.AspNetCore.Http;

namespace Headstart.Tests.Fetching;

public sealed class WebFetcherTests : IAsyncDisposable
{
    private const int Limit = 1 << 20;
    private readonly WebPages _web = new();
    private readonly WebFetcher _fetcher = New("127.0.0.1");

    public async ValueTask DisposeAsync()
    {
        _fetcher.Dispose();
        await _web.DisposeAsync();
    }

    [Fact]
    public async Task A_file_comes_with_its_name_and_the_host_is_told_who_asks()
    {
        var photograph = Pictures.Jpeg(1);
        var file = await FetchAsync(_web.Lay("/cats/My cat.jpg", photograph));
        Assert.Equal(("My cat.jpg", photograph.Length), (file.FileName, file.Bytes!.Length));
        Assert.Equal(photograph, file.Bytes);
        Assert.StartsWith("Headstart/", _web.UserAgents.Single());
        Assert.Contains("ops@example.org", _web.UserAgents.Single());
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/x.jpg")]
    [InlineData("http://localhost:1/x.jpg")] // a name: what it resolves to counts
    [InlineData("http://2130706433/x.jpg")] // 127.0.0.1 as one number
    [InlineData("http://0x7f.1/x.jpg")]
    [InlineData("http://0.0.0.0/x.jpg")]
    [InlineData("http://10.1.2.3/x.jpg")]
    [InlineData("http://172.16.0.1/x.jpg")]
    [InlineData("http://192.168.1.1/x.jpg")]
    [InlineData("http://169.254.169.254/latest/meta-data/")] // cloud machines' own data
    [InlineData("http://168.63.129.16/x.jpg")] // Azure's wire server
    [InlineData("http://100.64.0.1/x.jpg")] // carrier-grade NAT
    [InlineData("http://224.0.0.1/x.jpg")]
    [InlineData("http://255.255.255.255/x.jpg")]
    [InlineData("http://[::1]/x.jpg")]
    [InlineData("http://[::]/x.jpg")]
    [InlineData("http://[::ffff:127.0.0.1]/x.jpg")] // an IPv4 address in IPv6's clothes
    [InlineData("http://[::ffff:10.0.0.1]/x.jpg")]
    [InlineData("http://[64:ff9b::7f00:1]/x.jpg")] // translated
    [InlineData("http://[2002:7f00:1::]/x.jpg")] // 6to4
    [InlineData("http://[fe80::1]/x.jpg")]
    [InlineData("http://[fd00::1]/x.jpg")]
    [InlineData("https://127.0.0.1/x.jpg")]
    public async Task Private_and_special_addresses_are_never_asked(string url)
    {
        using var fetcher = New();
        Assert.Equal("private-address", (await fetcher.FetchAsync(url, Limit, Api.Cancel)).Reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("cat.jpg")]
    [InlineData("//127.0.0.1/x.jpg")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://example.org/x.jpg")]
    [InlineData("gopher://127.0.0.1:6379/_FLUSHALL")]
    [InlineData("data:image/png;base64,AAAA")]
    [InlineData("javascript:alert(1)")]
    [InlineData("http://user:password@example.org/x.jpg")]
    [InlineData("http:///x.jpg")]
    [InlineData("http://exa mple.org/\0")]
    public async Task What_is_no_address_of_the_web_is_refused(string url)
    {
        using var fetcher = New();
        Assert.Equal("invalid-url", (await fetcher.FetchAsync(url, Limit, Api.Cancel)).Reason);
    }

    [Fact]
    public async Task A_host_that_is_not_there_is_said_to_be_so()
    {
        using var fetcher = New();
        var unknown = await fetcher.FetchAsync("https://photos.invalid/cat.jpg", Limit, Api.Cancel); // a name that never exists, RFC 2606
        Assert.Equal(("unreachable", "cat.jpg"), (unknown.Reason, unknown.FileName));
        Assert.Equal("unreachable", (await FetchAsync("http://127.0.0.1:1/cat.jpg")).Reason);
        Assert.Equal("unreachable", (await FetchAsync(_web.Lay("/aborts.jpg", http =>
        {
            http.Abort();
            return Task.CompletedTask;
        }))).Reason);
    }

    [Fact]
    public async Task A_redirect_is_followed_to_a_file_and_not_into_a_private_network()
    {
        var photograph = Pictures.Jpeg(2);
        _web.Lay("/photo.jpg", photograph);
        Assert.Equal(photograph, (await FetchAsync(Redirect("/away", "/photo.jpg"))).Bytes);
        Assert.Equal("private-address", (await FetchAsync(Redirect("/in", "http://169.254.169.254/latest/meta-data/"))).Reason);
        Assert.Equal("private-address", (await FetchAsync(
            Redirect("/in-by-name", _web.Address.Replace("127.0.0.1", "localhost") + "/photo.jpg"))).Reason);
        Assert.Equal("invalid-url", (await FetchAsync(Redirect("/file", "file:///etc/passwd"))).Reason);
        Assert.Equal("too-many-redirects", (await FetchAsync(Redirect("/round", "/round"))).Reason);
    }

    [Fact]
    public async Task Pages_and_large_files_are_refused_before_they_are_read()
    {
        Assert.Equal("not-an-image", (await FetchAsync(_web.Lay("/page", "<html>"u8.ToArray(), "text/html; charset=utf-8"))).Reason);
        Assert.Equal("too-large", (await FetchAsync(_web.Lay("/large.jpg", new byte[Limit + 1]))).Reason);
        var sent = 0L;
        var endless = _web.Lay("/endless.jpg", async http => // says no length
        {
            for (var chunk = new byte[1 << 16]; !http.RequestAborted.IsCancellationRequested && sent < 1L << 30; sent += chunk.Length)
            {
                await http.Response.Body.WriteAsync(chunk, http.RequestAborted);
                // writing to a connection that has ended costs nothing until the server has noticed
                await Task.Delay(1, http.RequestAborted);
            }
        });
        Assert.Equal("too-large", (await FetchAsync(endless)).Reason);
        Assert.True(sent < 1 << 28, $"{sent} bytes were read on");
    }

    [Fact]
    public async Task A_busy_host_is_asked_again_when_it_says_and_a_missing_file_is_not()
    {
        var asked = 0;
        var busy = _web.Lay("/busy.jpg", async http =>
        {
            if (++asked < 3)
            {
                http.Response.StatusCode = asked == 1 ? 429 : 503;
                http.Response.Headers.RetryAfter = "0";
                return;
            }

            await http.Response.Body.WriteAsync(Pictures.Jpeg(3));
        });
        Assert.Equal(Pictures.Jpeg(3), (await FetchAsync(busy)).Bytes);

        Assert.Equal("not-found", (await FetchAsync(_web.Address + "/missing.jpg")).Reason);
        Assert.Single(_web.Asked, "/missing.jpg");

        _web.Lay("/patience.jpg", http =>
        {
            (http.Response.StatusCode, http.Response.Headers.RetryAfter) = (429, "86400");
            return Task.CompletedTask;
        });
        Assert.Equal("host-busy", (await FetchAsync(_web.Address + "/patience.jpg")).Reason);
        Assert.Single(_web.Asked, "/patience.jpg"); // it does not want to be asked before tomorrow
    }

    [Fact]
    public async Task A_host_that_sends_nothing_is_given_up()
    {
        using var fetcher = new WebFetcher(new Settings { Fetching = new() { AllowedHosts = ["127.0.0.1"], MaxSeconds = 0.3 } },
            TimeProvider.System);
        var silent = _web.Lay("/silent.jpg", http => Task.Delay(TimeSpan.FromMinutes(1), http.RequestAborted));
        Assert.Equal("timeout", (await fetcher.FetchAsync(silent, Limit, Api.Cancel)).Reason);
    }

    [Fact]
    public async Task Files_that_nobody_waits_for_any_more_are_given_up_at_once()
    {
        var clock = new Alarms();
        using var fetcher = new WebFetcher(new Settings { Fetching = new() { AllowedHosts = ["127.0.0.1"], MaxSeconds = 15 } }, clock);
        var silent = _web.Lay("/silent.jpg", http => Task.Delay(TimeSpan.FromMinutes(1), http.RequestAborted));
        await foreach (var file in fetcher.FetchAllAsync([_web.Lay("/1.jpg", Pictures.Jpeg(1)), silent, silent], Limit, Api.Cancel))
        {
            Assert.Null(file.Reason);
            break;
        }

        Assert.False(clock.Rang); // they did not run into their time limit
    }

    [Fact]
    public async Task One_host_gets_few_requests_at_a_time()
    {
        var url = _web.Lay("/slow.jpg", async http =>
        {
            await Task.Delay(30);
            await http.Response.Body.WriteAsync(Pictures.Jpeg(4));
        });
        var files = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => FetchAsync($"{url}?{i}")));
        Assert.All(files, file => Assert.Null(file.Reason));
        Assert.InRange(_web.AtOnce, 2, 4);
    }

    /// <summary>The system's clock, which knows whether one of its timers went off.</summary>
    private sealed class Alarms : TimeProvider
    {
        public bool Rang { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(given =>
            {
                Rang = true;
                callback(given);
            }, state, dueTime, period);
    }

    private static WebFetcher New(params string[] allowed) =>
        new(new Settings { Fetching = new() { AllowedHosts = allowed, Contact = "ops@example.org" } }, TimeProvider.System);

    private Task<FetchedFile> FetchAsync(string url) => _fetcher.FetchAsync(url, Limit, Api.Cancel);

    private string Redirect(string from, string to) => _web.Lay(from, http =>
    {
        http.Response.Redirect(to);
        return Task.CompletedTask;
    });
}
