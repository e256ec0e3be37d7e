using System.Security.Claims;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <param name="Keys">Keys that were used: all keys of the account for an admin key, otherwise only the calling key.</param>
/// <param name="Quotas">Quotas of the account and their current use. A limit of null means unlimited.</param>
public sealed record UsageResponse(IReadOnlyList<KeyUsage> Keys, IReadOnlyList<QuotaUse> Quotas);

/// <param name="Days">Days on which the key was used, newest first.</param>
public sealed record KeyUsage(Guid KeyId, string Name, IReadOnlyList<UsageOfDay> Days);

/// <param name="Day">UTC.</param>
/// <param name="Predictions">Number of predicted images and texts.</param>
public sealed record UsageOfDay(DateOnly Day, long Requests, long Predictions);

public static class UsageApi
{
    private const int Days = 30;
    private const int MostDays = 366;

    public static void MapUsage(this RouteGroupBuilder api) => api.MapGet("/usage", Get).WithTags("Keys").Named("getUsage", "Get usage "
        + "and quotas",
        "Requests and predictions per key and day, for the last 30 days or ?days=, a few seconds behind. An admin key sees all keys of "
            + "the account, other keys only themselves. Also the quotas of the account and their current use. Responses that count "
            + "against a quota report what is left in the headers RateLimit-Policy and RateLimit.")
        .Refuses(400, 401);

    private static async Task<Results<Ok<UsageResponse>,
        ProblemHttpResult>> Get(HeadstartDb db, Usage usage, TimeProvider clock, ClaimsPrincipal caller, int? days,
        CancellationToken cancel)
    {
        if (days is < 1 or > MostDays)
        {
            return Problems.Of(StatusCodes.Status400BadRequest, "invalid-days", $"days must be between 1 and {MostDays}.");
        }

        var (account, own, all) = (caller.AccountId(), caller.KeyId(), caller.IsInRole(KeyAuthentication.AdminPolicy));
        var first = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime).AddDays(1 - (days ?? Days));
        var rows = await db.ApiKeys.Where(k => k.AccountId == account && (all || k.Id == own))
            .Join(db.UsageDays.Where(u => u.Day >= first), k => k.Id, u => u.KeyId, (k, u) =>
                new { k.Id, k.Name, u.Day, u.Requests, u.Predictions }).ToListAsync(cancel);
        var limits = await db.QuotasAsync(account, cancel);
        var uses = await AccountUse.ReadAsync(db, usage, account, Enum.GetValues<Quota>(), cancel);
        return TypedResults.Ok(new UsageResponse([.. rows.GroupBy(r => (r.Id, r.Name)).OrderByDescending(g => g.Key.Id)
            .Select(g => new KeyUsage(g.Key.Id, g.Key.Name,
                [.. g.OrderByDescending(r => r.Day).Select(r => new UsageOfDay(r.Day, r.Requests, r.Predictions))]))],
            [.. uses.Select(use => use with { Limit = limits[use.Quota] })]));
    }
}
