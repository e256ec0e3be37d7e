using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;

namespace Headstart.Hosting;

/// <summary>For load balancers: <c>live</c> means that the process runs, <c>ready</c> that it can handle requests.</summary>
public static class HealthApi
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        var health = app.MapGroup("/health").WithTags("Health").AllowAnonymous().DisableRateLimiting();
        health.MapGet("/live", () => TypedResults.Ok(new HealthResponse("live"))).Named("live", "Check liveness", "200 while the process "
            + "runs. Needs no key.");
        health.MapGet("/ready", ReadyAsync).Named("ready", "Check readiness",
                "503 while the host starts or stops, or while its database or blob store is not responding. Needs no key.")
            .Produces<HealthResponse>().Refuses(503);
    }

    private static async Task<IResult> ReadyAsync(HeadstartDb db, LoadedBackbones loaded, BlobHealth blobs,
        IHostApplicationLifetime lifetime, CancellationToken cancel)
    {
        var reason = await WhyNotReadyAsync(db, loaded, blobs, lifetime, cancel);
        return reason is null
            ? TypedResults.Ok(new HealthResponse("ready"))
            : Problems.Of(StatusCodes.Status503ServiceUnavailable, "not-ready", reason);
    }

    /// <returns>null if the host is ready.</returns>
    public static async Task<string?> WhyNotReadyAsync(HeadstartDb db, LoadedBackbones loaded, BlobHealth blobs,
        IHostApplicationLifetime lifetime, CancellationToken cancel) =>
        lifetime.ApplicationStopping.IsCancellationRequested ? "The host is stopping."
            : !loaded.IsWarm ? "The backbones are warming up."
            : !await AnswersAsync(db, cancel) ? "The database is not responding."
            : !await blobs.AnswersAsync() ? "The blob store is not responding."
            : null;

    private static async Task<bool> AnswersAsync(HeadstartDb db, CancellationToken cancel)
    {
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        soon.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            return await db.Database.CanConnectAsync(soon.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }
}

public sealed record HealthResponse(string Status);
