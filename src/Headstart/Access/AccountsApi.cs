using Headstart.Data;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <param name="Quotas">What it may have; those of the host's settings when they are left out.</param>
public sealed record NewAccountRequest(string? Name, Quotas? Quotas = null);

/// <param name="Quotas">All of them: what is left out or null has no limit from now on.</param>
public sealed record AccountChange(string? Name = null, Quotas? Quotas = null);

/// <param name="Operator">Whether its admin keys may make and change accounts.</param>
public sealed record AccountResponse(Guid Id, string Name, bool Operator, Quotas Quotas, DateTime CreatedAt)
{
    internal static AccountResponse Of(Account account) => new(account.Id, account.Name, account.IsOperator, account.Quotas, account.CreatedAt);
}

/// <param name="Key">Its first admin key, which makes others. It is shown in this answer and never again.</param>
public sealed record NewAccountResponse(Guid Id, string Name, bool Operator, Quotas Quotas, DateTime CreatedAt, Guid KeyId, string Key);

/// <summary>The accounts of an installation, for its operators. Nobody else sees that there are others.</summary>
public static class AccountsApi
{
    public static void MapAccounts(this RouteGroupBuilder api)
    {
        var accounts = api.MapGroup("/accounts").WithTags("Accounts").RequireAuthorization(Scopes.Operator);
        accounts.MapPost("/", Create).Named("createAccount", "Make an account",
                "Models and keys of one account do not exist for another. Its first admin key is in this answer and never shown again. Needs an operator: an admin key of the first account.")
            .Example("""{"name":"Web shop","quotas":{"images":10000,"predictionsPerDay":50000}}""").Refuses(400, 401, 403, 422);
        accounts.MapGet("/", List).Named("listAccounts", "List the accounts", "Newest first. Needs an operator.").Refuses(400, 401, 403);
        accounts.MapGet("/{accountId:guid}", Get).Named("getAccount", "Get an account", "Its name and its quotas. Needs an operator.").Refuses(401, 403, 404);
        accounts.MapPatch("/{accountId:guid}", Change).Named("changeAccount", "Rename an account, or set its quotas",
                "Quotas are set all together: those that are left out have no limit then. What is there already stays, also beyond a quota. Needs an operator.")
            .Example("""{"quotas":{"images":20000,"predictionsPerDay":50000}}""").Refuses(400, 401, 403, 404, 422);
        accounts.MapDelete("/{accountId:guid}", Delete).Named("deleteAccount", "Delete an account without models", "With its keys. Its models have to be deleted before. Needs an operator.")
            .Refuses(401, 403, 404, 409);
    }

    private static async Task<Results<Created<NewAccountResponse>, ProblemHttpResult>> Create(
        NewAccountRequest request, HeadstartDb db, Settings settings, TimeProvider clock, CancellationToken cancel)
    {
        var (name, problem) = Names.Read(request.Name, "account");
        if (name is null)
        {
            return Problems.Invalid("invalid-name", problem!);
        }

        if (Refuse(request.Quotas) is { } refusal)
        {
            return refusal;
        }

        var account = new Account { Id = Guid.CreateVersion7(), Name = name, Quotas = request.Quotas ?? QuotaUse.Usual(settings.Quotas), CreatedAt = clock.Now() };
        var secret = Secrets.NewKey();
        var key = Secrets.Entity(account.Id, "first key", secret, Scopes.All, account.CreatedAt);
        db.AddRange(account, key);
        await db.SaveChangesAsync(cancel);
        return TypedResults.Created($"/api/v1/accounts/{account.Id}",
            new NewAccountResponse(account.Id, account.Name, account.IsOperator, account.Quotas, account.CreatedAt, key.Id, secret));
    }

    private static async Task<Page<AccountResponse>> List(HeadstartDb db, int? limit, Guid? after, CancellationToken cancel)
    {
        var size = Page.Limit(limit);
        var rows = await db.Accounts.Where(a => after == null || a.Id < after).OrderByDescending(a => a.Id).Take(size + 1).AsNoTracking().ToListAsync(cancel);
        return Page.Of(rows.ConvertAll(AccountResponse.Of), size, a => a.Id.ToString());
    }

    private static async Task<Results<Ok<AccountResponse>, ProblemHttpResult>> Get(Guid accountId, HeadstartDb db, CancellationToken cancel) =>
        await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == accountId, cancel) is { } account ? TypedResults.Ok(AccountResponse.Of(account)) : NoSuchAccount();

    private static async Task<Results<Ok<AccountResponse>, ProblemHttpResult>> Change(
        Guid accountId, AccountChange change, HeadstartDb db, KnownKeys known, CancellationToken cancel)
    {
        if (await db.Accounts.AsTracking().SingleOrDefaultAsync(a => a.Id == accountId, cancel) is not { } account)
        {
            return NoSuchAccount();
        }

        if (change.Name is not null)
        {
            var (name, problem) = Names.Read(change.Name, "account");
            if (name is null)
            {
                return Problems.Invalid("invalid-name", problem!);
            }

            account.Name = name;
        }

        if (Refuse(change.Quotas) is { } refusal)
        {
            return refusal;
        }

        account.Quotas = change.Quotas ?? account.Quotas;
        await db.SaveChangesAsync(cancel);
        await Announcements.SayAsync(db, Announcement.Keys, CancellationToken.None);
        known.Forget(); // with a key its account's quotas are remembered
        return TypedResults.Ok(AccountResponse.Of(account));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(Guid accountId, HeadstartDb db, KnownKeys known, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // Locked, so that no model comes into it between the look whether it has one and its end.
        await db.Database.ExecuteSqlAsync($"SELECT FROM accounts WHERE id = {accountId} FOR UPDATE", cancel);
        if (await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == accountId, cancel) is not { } account)
        {
            return NoSuchAccount();
        }

        if (account.IsOperator)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "operator-account", "This is the account that makes the others; it stays.");
        }

        if (await db.Models.AnyAsync(m => m.AccountId == accountId, cancel))
        {
            return Problems.Of(StatusCodes.Status409Conflict, "account-has-models", "The account has models; delete them first, with a key of that account.");
        }

        await db.Accounts.Where(a => a.Id == accountId).ExecuteDeleteAsync(cancel);
        await transaction.CommitAsync(cancel);
        known.Forget();
        return TypedResults.NoContent();
    }

    private static ProblemHttpResult? Refuse(Quotas? quotas) => quotas?.Negative() is { } quota
        ? Problems.Invalid("invalid-quotas", $"The quota {new QuotaUse(quota, null, 0).Name} must not be negative; leave it out for no limit.") : null;

    private static ProblemHttpResult NoSuchAccount() =>
        Problems.Of(StatusCodes.Status404NotFound, "account-not-found", "There is no account with this id; GET /api/v1/accounts lists those there are.");
}
