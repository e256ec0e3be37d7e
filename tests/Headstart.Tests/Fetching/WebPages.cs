using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Headstart.Tests.Fetching;

/// <summary>A small web on loopback: answers that tests lay down by path (not escaped), and what was asked for.</summary>
public sealed class WebPages : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> _pages = new();
    private int _now;

    public WebPages()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Run(AnswerAsync);
        _app.StartAsync().GetAwaiter().GetResult();
    }

    public string Address => _app.Urls.First();

    /// <summary>Paths with their queries, in the order in which they came.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public ConcurrentQueue<string> UserAgents { get; } = new();

    /// <summary>The most requests that were open at the same time.</summary>
    public int AtOnce { get; private set; }

    public string Lay(string path, Func<HttpContext, Task> answer)
    {
        _pages[path] = answer;
        return Address + Uri.EscapeDataString(path).Replace("%2F", "/");
    }

    public string Lay(string path, byte[] bytes, string? type = "image/jpeg") => Lay(path, async http =>
    {
        http.Response.ContentType = type;
        await http.Response.Body.WriteAsync(bytes);
    });

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        Asked.Enqueue(http.Request.Path.Value + http.Request.QueryString);
        UserAgents.Enqueue(http.Request.Headers.UserAgent.ToString());
        lock (_pages)
        {
            AtOnce = Math.Max(AtOnce, ++_now);
        }

        try
        {
            if (_pages.TryGetValue(http.Request.Path.Value!, out var answer))
            {
                await answer(http);
            }
            else
            {
                http.Response.StatusCode = 404;
            }
        }
        finally
        {
            lock (_pages)
            {
                _now--;
            }
        }
    }
}
