using Headstart.Access;
using Microsoft.AspNetCore.Http.Features;

namespace Headstart.Web;

/// <summary>The request pipeline after <see cref="WebApp.UseOwnApi"/>.</summary>
public sealed class Pipeline
{
    public RequestDelegate Run { get; set; } = _ => throw new InvalidOperationException("The pipeline has not been built yet.");
}

/// <summary>
/// Sends requests through this host's own pipeline, without a network: the pages use the API as every client does, with the same checks,
/// limits and messages. Responses are buffered, so use it for JSON, not for streams.
/// </summary>
public sealed class OwnApi(IHttpContextFactory contexts, Pipeline pipeline) : HttpMessageHandler
{
    /// <summary>Identifies the caller's key, instead of an Authorization header.</summary>
    public static readonly HttpRequestOptionsKey<string> KeyHash = new("key hash");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var answer = new MemoryStream();
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(await RequestAsync(request, cancel));
        features.Set<IHttpRequestBodyDetectionFeature>(new Body(request.Content is not null));
        features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature { RequestAborted = cancel });
        features.Set<IHttpMaxRequestBodySizeFeature>(new NoLimit());
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answer));
        var context = contexts.Create(features);
        try
        {
            if (request.Options.TryGetValue(KeyHash, out var hash))
            {
                context.Items[KeyAuthentication.HashItem] = hash;
            }

            await pipeline.Run(context);
            await context.Response.CompleteAsync();
            answer.Position = 0;
            var response = new HttpResponseMessage((System.Net.HttpStatusCode)context.Response.StatusCode)
            {
                Content = new StreamContent(
                answer),
                RequestMessage = request
            };
            foreach (var (name, values) in context.Response.Headers)
            {
                if (!response.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
                {
                    response.Content.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
                }
            }

            return response;
        }
        finally
        {
            contexts.Dispose(context);
        }
    }

    private static async Task<HttpRequestFeature> RequestAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var uri = request.RequestUri!;
        var feature = new HttpRequestFeature
        {
            Method = request.Method.Method,
            Scheme = uri.Scheme,
            Path = Uri.UnescapeDataString(uri.AbsolutePath),
            QueryString = uri.Query,
            Protocol = "HTTP/1.1",
            Body = request.Content is null ? Stream.Null : await request.Content.ReadAsStreamAsync(cancel),
        };
        feature.Headers.Host = uri.Authority;
        foreach (var (name, values) in request.Headers.Concat(request.Content?.Headers.AsEnumerable() ?? []))
        {
            feature.Headers[name] = values.ToArray();
        }

        return feature;
    }

    private sealed record Body(bool CanHaveBody) : IHttpRequestBodyDetectionFeature;

    private sealed class NoLimit : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }
}
