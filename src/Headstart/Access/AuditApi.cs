using System.Security.Claims;
using System.Text.Json;
using Headstart.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <param name="KeyName">Name of the API key at that time.</param>
/// <param name="Operation">The operationId in this document, or the method and route of an operation that is not in it.</param>
/// <param name="Subjects">What was changed: the values in the route, such as the <c>id</c> of the model.</param>
/// <param name="Status">HTTP status of the response; null while the request is running, and if the host died before responding.</param>
/// <param name="Address">IP address of the client; null for a request from a page of this host.</param>
public sealed record AuditedChange(
    Guid Id, DateTime At, Guid KeyId, string KeyName, string Operation, IReadOnlyDictionary<string, string> Subjects, int? Status,
    string? Address)
{
    internal static AuditedChange Of(AuditEntry entry) => new(entry.Id, entry.At, entry.KeyId, entry.KeyName, entry.Operation,
        JsonSerializer.Deserialize<Dictionary<string, string>>(entry.Subjects)!, entry.Status, entry.Address);
}

/// <param name="Operation">Only this operation, such as deleteModel.</param>
/// <param name="Key">Only changes made with the key of this id.</param>
/// <param name="Since">Only changes at or after this time.</param>
/// <param name="Until">Only changes before this time.</param>
public sealed record AuditQuery(
    [property: FromQuery(Name = "operation")] string? Operation, [property: FromQuery(Name = "key")] Guid? Key,
    [property: FromQuery(Name = "since")] DateTimeOffset? Since, [property: FromQuery(Name = "until")] DateTimeOffset? Until);

public static class AuditApi
{
    public static void MapAudit(this RouteGroupBuilder api) => api.MapGroup("/audit").WithTags("Accounts").Needs(Scope.Admin)
        .MapGet("/", List).Named("listAudit", "List the audit log",
            "Every operation of the account that changed something or tried to, except predictions. Newest first. Needs an admin key.")
        .Refuses(400, 401, 403);

    private static async Task<Page<AuditedChange>> List(
        HeadstartDb db, ClaimsPrincipal caller, [AsParameters] AuditQuery query, [AsParameters] PageQuery page, CancellationToken cancel)
    {
        var (operation, key, since, until) = query;
        var after = page.After;
        var account = caller.AccountId();
        var (from, to) = (since?.UtcDateTime, until?.UtcDateTime);
        var entries = db.AuditEntries.AsNoTracking()
            .Where(e => e.AccountId == account && (after == null || e.Id < after))
            .Where(e => (operation == null || e.Operation == operation) && (key == null || e.KeyId == key) && (from == null || e.At >= from)
                && (to == null || e.At < to))
            .OrderByDescending(e => e.Id);
        return await Page.ReadAsync(entries, page.Limit, AuditedChange.Of, e => e.Id.ToString(), cancel);
    }
}
