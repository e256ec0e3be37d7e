using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <summary>Marks an endpoint that uses these quotas.</summary>
public sealed record Spends(params IReadOnlyList<Quota> Quotas);

public static class Spending
{
    /// <summary>The endpoint uses these quotas: its responses say what is left.</summary>
    public static RouteHandlerBuilder Spends(this RouteHandlerBuilder endpoint, params Quota[] quotas) =>
        endpoint.WithMetadata(new Spends(quotas))
        .Refuses(quotas.Any(quota => quota is Quota.PredictionsPerDay or Quota.ConcurrentRuns) ? StatusCodes.Status429TooManyRequests
            : StatusCodes.Status402PaymentRequired);

    /// <summary>The endpoint predicts: it needs that scope, and something left of the day's predictions.</summary>
    public static RouteHandlerBuilder Predicts(this RouteHandlerBuilder endpoint) =>
        endpoint.Needs(Scope.Predict).Spends(Quota.PredictionsPerDay);
}

/// <summary>
/// Refuses predictions once the day's quota is used up, and adds headers with what is left of the quotas that the request uses, as in
/// the IETF's draft-ietf-httpapi-ratelimit-headers. The day's predictions are counted in memory (see <see cref="Usage"/>): a request that
/// begins below the limit is answered completely.
/// </summary>
internal sealed class QuotaMiddleware(RequestDelegate next, Usage usage, IDbContextFactory<HeadstartDb> databases, TimeProvider clock)
{
    private const int Day = 86_400;
    private const int AgainForARun = 30; // seconds; a guess, because nobody knows when a run will end
    private const long Most = 999_999_999_999_999; // largest number in a structured field (RFC 8941)

    public async Task InvokeAsync(HttpContext http)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<Spends>() is not { } spends
            || !spends.Quotas.Any(quota => http.User.Limit(quota) is not null))
        {
            await next(http);
            return;
        }

        http.Response.OnStarting(() => TellAsync(http, spends.Quotas));
        if (spends.Quotas.Contains(Quota.PredictionsPerDay) && http.User.Limit(Quota.PredictionsPerDay) is { } limit
            && await usage.PredictionsTodayAsync(http.User.AccountId(), http.RequestAborted) is var used && used >= limit)
        {
            await http.AnswerAsync(new QuotaUse(Quota.PredictionsPerDay, limit, used).Problem());
            return;
        }

        await next(http);
    }

    private async Task TellAsync(HttpContext http, IReadOnlyList<Quota> quotas)
    {
        var response = http.Response;
        if (response.StatusCode is >= 300 and not (StatusCodes.Status402PaymentRequired or StatusCodes.Status429TooManyRequests))
        {
            return; // uses no quota
        }

        var midnight = (int)Math.Ceiling(Day - clock.GetUtcNow().TimeOfDay.TotalSeconds);
        var uses = await ReadAsync(http, [.. quotas.Where(quota => http.User.Limit(quota) is not null)]);
        response.Headers["RateLimit-Policy"] = string.Join(", ",
            uses.Select(use => $"\"{use.Name}\";q={Math.Min(use.Limit!.Value, Most)}{(IsDaily(use) ? $";w={Day}" : "")}"));
        response.Headers["RateLimit"] = string.Join(", ",
            uses.Select(use => $"\"{use.Name}\";r={Math.Clamp(use.Limit!.Value - use.Used, 0, Most)}"
                + (IsDaily(use) ? $";t={midnight}" : "")));
        if (response.StatusCode == StatusCodes.Status429TooManyRequests)
        {
            response.Headers.RetryAfter = (uses.Any(IsDaily) ? midnight : AgainForARun)
                .ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    private async Task<List<QuotaUse>> ReadAsync(HttpContext http, IReadOnlyList<Quota> quotas)
    {
        var account = http.User.AccountId();
        await using var db = quotas.All(quota => quota == Quota.PredictionsPerDay) ? null
            : await databases.CreateDbContextAsync(CancellationToken.None);
        var uses = await AccountUse.ReadAsync(db, usage, account, quotas, CancellationToken.None);
        return [.. uses.Select(use => use with { Limit = http.User.Limit(use.Quota) })];
    }

    private static bool IsDaily(QuotaUse use) => use.Quota == Quota.PredictionsPerDay;
}

/// <summary>Reads how much of the quotas is used.</summary>
internal static class AccountUse
{
    /// <param name="db">May be null if only predictions are read.</param>
    /// <param name="usage">Counts predictions.</param>
    /// <param name="account">The account.</param>
    /// <param name="quotas">Which quotas; the result has the same order.</param>
    /// <returns>What is used, with limits left null.</returns>
    public static async Task<List<QuotaUse>> ReadAsync(HeadstartDb? db, Usage usage, Guid account, IReadOnlyList<Quota> quotas,
        CancellationToken cancel)
    {
        var stored = db is null || quotas.All(quota => quota is Quota.PredictionsPerDay or Quota.ConcurrentRuns) ? null
            : await db.StoredAsync(account, cancel);
        var uses = new List<QuotaUse>();
        foreach (var quota in quotas)
        {
            uses.Add(new(quota, null, quota switch
            {
                Quota.Images => stored!.Images,
                Quota.Bytes => stored!.Bytes,
                Quota.Models => stored!.Models,
                Quota.PredictionsPerDay => await usage.PredictionsTodayAsync(account, cancel),
                _ => await db!.RunsUnderWayAsync(account, cancel),
            }));
        }

        return uses;
    }
}
