using System.Security.Claims;
using System.Text.Json;
using Headstart.Data;
using Headstart.Operations;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <param name="KeyName">As it was then.</param>
/// <param name="Operation">As this document calls it; the method and the route of what is not in it.</param>
/// <param name="Subjects">What it was done to: the values in the route, such as <c>id</c> of the model.</param>
/// <param name="Status">Of the answer; null while it is being worked on, and where the host died before there was one.</param>
/// <param name="Address">Where the request came from; null for one that a page of this host made.</param>
public sealed record AuditedChange(
    Guid Id, DateTime At, Guid KeyId, string KeyName, string Operation, IReadOnlyDictionary<string, string> Subjects, int? Status, string? Address)
{
    internal static AuditedChange Of(AuditEntry entry) => new(entry.Id, entry.At, entry.KeyId, entry.KeyName, entry.Operation,
        JsonSerializer.Deserialize<Dictionary<string, string>>(entry.Subjects)!, entry.Status, entry.Address);
}

/// <param name="Operation">Only this one, such as deleteModel.</param>
/// <param name="Key">Only those of the key with this id.</param>
/// <param name="Since">Only those at this time or later.</param>
/// <param name="Until">Only those before this time.</param>
public sealed record AuditQuery(
    [property: FromQuery(Name = "operation")] string? Operation, [property: FromQuery(Name = "key")] Guid? Key,
    [property: FromQuery(Name = "since")] DateTimeOffset? Since, [property: FromQuery(Name = "until")] DateTimeOffset? Until);

public static class AuditApi
{
    public static void MapAudit(this RouteGroupBuilder api) => api.MapGroup("/audit").WithTags("Accounts").Needs(Scope.Admin)
        .MapGet("/", List).Named("listAudit", "See who changed what", "Every operation of the account that changed something, or tried to; not predictions. Newest first. Needs an admin key.")
        .Refuses(400, 401, 403);

    private static async Task<Page<AuditedChange>> List(
        HeadstartDb db, ClaimsPrincipal caller, [AsParameters] AuditQuery query, [AsParameters] PageQuery page, CancellationToken cancel)
    {
        var (operation, key, since, until) = query;
        var (size, after) = (Page.Limit(page.Limit), page.After);
        var account = caller.AccountId();
        var (from, to) = (since?.UtcDateTime, until?.UtcDateTime);
        var rows = await db.AuditEntries.AsNoTracking()
            .Where(e => e.AccountId == account && (after == null || e.Id < after))
            .Where(e => (operation == null || e.Operation == operation) && (key == null || e.KeyId == key) && (from == null || e.At >= from) && (to == null || e.At < to))
            .OrderByDescending(e => e.Id).Take(size + 1).ToListAsync(cancel);
        return Page.Of(rows.ConvertAll(AuditedChange.Of), size, e => e.Id.ToString());
    }
}
