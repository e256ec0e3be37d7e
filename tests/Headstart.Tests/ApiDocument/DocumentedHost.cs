using System.Text;
using Headstart.Tests.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.ApiDocument;

/// <summary>A host that compares what it answers below /api/v1 and /v2 with the committed document, nulls too. What does not fit becomes a
/// 500 with the reason, so that the client at hand, in whatever process, fails.</summary>
public class DocumentedHost(TestPostgres postgres) : TestHost(postgres)
{
    private readonly DocumentCheck _document = new(DocumentedOperation.ReadDocument());

    /// <summary>How many answers were compared.</summary>
    public int Compared { get; private set; }

    protected override void Configure(IWebHostBuilder web) =>
        web.ConfigureServices(services => services.AddSingleton<IStartupFilter>(new Comparing(this)));

    private async Task CompareAsync(HttpContext http, RequestDelegate next)
    {
        if (!http.Request.Path.StartsWithSegments("/api/v1") && !http.Request.Path.StartsWithSegments("/v2"))
        {
            await next(http);
            return;
        }

        var operation = _document.Find(http.Request.Method, http.Request.Path.Value!);
        if (operation is not null && operation.Responses.SelectMany(response => response.Value!["content"]?.AsObject() ?? [])
            .Any(content => content.Key is not ("application/json" or "application/problem+json")))
        {
            await next(http); // files and events, which may take as long as the work does
            return;
        }

        var (body, response) = (http.Response.Body, http.Response);
        using var held = new MemoryStream();
        response.Body = held;
        await next(http);
        response.Body = body;
        var (answer, type) = (held.ToArray(), response.ContentType?.Split(';')[0]);
        var wrong = operation is not null ? _document.Wrong(operation, response.StatusCode, type, answer)
            : response.StatusCode is 404 or 405 ? null : "the document has no such operation";
        Compared++;
        if (wrong is not null)
        {
            response.Clear();
            response.StatusCode = StatusCodes.Status500InternalServerError;
            answer = Encoding.UTF8.GetBytes($"Not as documented: {http.Request.Method} {http.Request.Path}: {wrong}");
        }

        await body.WriteAsync(answer, http.RequestAborted);
    }

    private sealed class Comparing(DocumentedHost host) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(host.CompareAsync);
            next(app);
        };
    }
}
