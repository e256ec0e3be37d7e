using System.Text.Json;
using Headstart.Data;
using Microsoft.AspNetCore.Authorization;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <summary>
/// Records who changed what: every request that needs more than reading and predicting, in any protocol and from any page. The entry is
/// written before the work begins, and nothing begins without it; the status is added afterwards. If the process dies in between, the entry
/// keeps no status: the change was attempted and may have happened. Headers, query and body are left out because they may contain secrets.
/// </summary>
internal sealed partial class AuditTrail(RequestDelegate next, IDbContextFactory<HeadstartDb> databases, TimeProvider clock,
    ILogger<AuditTrail> log)
{
    private const int LongestSubject = 200; // a subject may be the name of a backbone

    public async Task InvokeAsync(HttpContext http)
    {
        if (!Changes(http))
        {
            await next(http);
            return;
        }

        var entry = await BeginAsync(http);
        var status = StatusCodes.Status500InternalServerError;
        try
        {
            await next(http);
            status = http.Response.StatusCode;
        }
        catch (Exception e)
        {
            status = http.RequestAborted.IsCancellationRequested ? StatusCodes.Status499ClientClosedRequest : ExceptionProblems.Describe(e)
                .Status;
            throw;
        }
        finally
        {
            await EndAsync(entry, status);
        }
    }

    private static bool Changes(HttpContext http) => http.GetEndpoint() is { } endpoint
        && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null
        && http.User.Identity?.IsAuthenticated is true
        && !HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method)
            && !HttpMethods.IsOptions(http.Request.Method)
        && Scopes.NeededFor(http) is var needed && needed != Scopes.Name(Scope.Read) && needed != Scopes.Name(Scope.Predict);

    private async Task<Guid> BeginAsync(HttpContext http)
    {
        var endpoint = http.GetEndpoint()!;
        var entry = new AuditEntry
        {
            Id = Guid.CreateVersion7(),
            At = clock.Now(),
            AccountId = http.User.AccountId(),
            KeyId = http.User.KeyId(),
            KeyName = http.User.KeyName(),
            Operation = endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName
            ?? $"{http.Request.Method} {(endpoint as RouteEndpoint)?.RoutePattern.RawText}",
            Subjects = JsonSerializer.Serialize(http.Request.RouteValues.ToDictionary(value => value.Key, value => Shortened(value.Value))),
            Address = http.Connection.RemoteIpAddress is { } address ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)
            .ToString() : null,
        };
        await using var db = await databases.CreateDbContextAsync(http.RequestAborted);
        db.Add(entry);
        await db.SaveChangesAsync(http.RequestAborted);
        return entry.Id;
    }

    private async Task EndAsync(Guid entry, int status)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(CancellationToken.None);
            await db.AuditEntries.Where(e => e.Id == entry)
                .ExecuteUpdateAsync(set => set.SetProperty(e => e.Status, status), CancellationToken.None);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Probably a lost database. The request is already answered, and the entry says that it was begun.
            Log.NoStatus(log, entry, status, e.GetBaseException().Message);
        }
    }

    private static string Shortened(object? value) => value?.ToString() is { } text ? text[..Math.Min(text.Length, LongestSubject)] : "";

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot write status {Status} to audit log entry {Entry}: {Reason}")]
        public static partial void NoStatus(ILogger log, Guid entry, int status, string reason);
    }
}

/// <summary>Deletes entries older than <c>Headstart:Audit:KeepDays</c> every hour. Safe on every host.</summary>
public sealed partial class AuditPruning(IDbContextFactory<HeadstartDb> databases, Settings settings, TimeProvider clock,
    ILogger<AuditPruning> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(1);

    public async Task PruneAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var oldest = clock.Now().AddDays(-settings.Audit.KeepDays);
        await db.AuditEntries.Where(e => e.At < oldest).ExecuteDeleteAsync(cancel);
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            try
            {
                await PruneAsync(stopping);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Probably a database that is down: this must not end the host, and it is tried again in an hour.
                Log.NotPruned(log, e.GetBaseException().Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot delete old audit log entries; retrying in an hour: {Reason}")]
        public static partial void NotPruned(ILogger log, string reason);
    }
}
