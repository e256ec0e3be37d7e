using System.ComponentModel.DataAnnotations;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <param name="Quotas">Limits of the account; defaults to the quotas in the host's settings (<c>Headstart:Quotas</c>).</param>
public sealed record NewAccountRequest([property: Required] string? Name, Quotas? Quotas = null);

/// <param name="Quotas">Replaces all quotas: one that is omitted or null becomes unlimited.</param>
public sealed record AccountChange(string? Name = null, Quotas? Quotas = null);

/// <param name="Operator">Whether its admin keys may create and change accounts.</param>
public sealed record AccountResponse(Guid Id, string Name, bool Operator, Quotas Quotas, DateTime CreatedAt)
{
    internal static AccountResponse Of(Account account) =>
        new(account.Id, account.Name, account.IsOperator, account.Quotas, account.CreatedAt);
}

/// <param name="Key">The account's first admin key. It appears only in this response.</param>
public sealed record NewAccountResponse(Guid Id, string Name, bool Operator, Quotas Quotas, DateTime CreatedAt, Guid KeyId, string Key);

/// <summary>The accounts of an installation, for its operators. Other accounts do not see them.</summary>
public static class AccountsApi
{
    public static void MapAccounts(this RouteGroupBuilder api)
    {
        var accounts = api.MapGroup("/accounts").WithTags("Accounts").RequireAuthorization(Scopes.Operator);
        accounts.MapPost("/", Create).Named("createAccount", "Create an account",
                "Accounts cannot see each other's models and keys. The response contains the account's first admin key, which is never "
                    + "shown again. Needs an operator key: an admin key of the first account.")
            .Example("""{"name":"Web shop","quotas":{"images":10000,"predictionsPerDay":50000}}""").Refuses(400, 401, 403, 422);
        accounts.MapGet("/", List).Named("listAccounts", "List the accounts", "Newest first. Needs an operator key.")
            .Refuses(400, 401, 403);
        accounts.MapGet("/{accountId:guid}", Get).Named("getAccount", "Get an account", "Returns its name and quotas. Needs an operator "
            + "key.").Refuses(401, 403, 404);
        accounts.MapPatch("/{accountId:guid}", Change).Named("changeAccount", "Rename an account or set its quotas",
                "Replaces all quotas: one that is omitted becomes unlimited. Lowering a quota deletes nothing. Needs an operator key.")
            .Example("""{"quotas":{"images":20000,"predictionsPerDay":50000}}""").Refuses(400, 401, 403, 404, 422);
        accounts.MapDelete("/{accountId:guid}", Delete).Named("deleteAccount", "Delete an account without models", "Also deletes its API "
            + "keys. Delete its models first. Needs an operator key.")
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

        var account = new Account
        {
            Id = Guid.CreateVersion7(),
            Name = name,
            Quotas = request.Quotas ?? QuotaUse.Usual(settings.Quotas),
            CreatedAt = clock.Now()
        };
        var secret = Secrets.NewKey();
        var key = Secrets.Entity(account.Id, "first key", secret, Scopes.All, account.CreatedAt);
        db.AddRange(account, key);
        await db.SaveChangesAsync(cancel);
        return TypedResults.Created($"/api/v1/accounts/{account.Id}",
            new NewAccountResponse(account.Id, account.Name, account.IsOperator, account.Quotas, account.CreatedAt, key.Id, secret));
    }

    private static async Task<Page<AccountResponse>> List(HeadstartDb db, int? limit, Guid? after, CancellationToken cancel)
    {
        var accounts = db.Accounts.AsNoTracking().Where(a => after == null || a.Id < after).OrderByDescending(a => a.Id);
        return await Page.ReadAsync(accounts, limit, AccountResponse.Of, a => a.Id.ToString(), cancel);
    }

    private static async Task<Results<Ok<AccountResponse>,
        ProblemHttpResult>> Get(Guid accountId, HeadstartDb db, CancellationToken cancel) =>
        await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == accountId, cancel) is { } account
            ? TypedResults.Ok(AccountResponse.Of(account)) : NoSuchAccount();

    private static async Task<Results<Ok<AccountResponse>, ProblemHttpResult>> Change(
        Guid accountId, AccountChange change, HeadstartDb db, KnownKeys known, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
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
        await Announcements.SayAsync(db, Announcement.Keys, cancel);
        await transaction.CommitAsync(cancel);
        known.Forget(); // cached keys include their account's quotas
        return TypedResults.Ok(AccountResponse.Of(account));
    }

    private static async Task<Results<NoContent,
        ProblemHttpResult>> Delete(Guid accountId, HeadstartDb db, KnownKeys known, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // Locked, so that no model is added between the check and the delete.
        await db.Database.ExecuteSqlAsync($"SELECT FROM accounts WHERE id = {accountId} FOR UPDATE", cancel);
        if (await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == accountId, cancel) is not { } account)
        {
            return NoSuchAccount();
        }

        if (account.IsOperator)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "operator-account", "This is the operator account, which manages the other "
                + "accounts; it cannot be deleted.");
        }

        if (await db.Models.AnyAsync(m => m.AccountId == accountId, cancel))
        {
            return Problems.Of(StatusCodes.Status409Conflict, "account-has-models", "The account still has models; delete them first, "
                + "with a key of that account.");
        }

        await db.Accounts.Where(a => a.Id == accountId).ExecuteDeleteAsync(cancel);
        await Announcements.SayAsync(db, Announcement.Keys, cancel);
        await transaction.CommitAsync(cancel);
        known.Forget();
        return TypedResults.NoContent();
    }

    private static ProblemHttpResult? Refuse(Quotas? quotas) => quotas?.Negative() is { } quota
        ? Problems.Invalid("invalid-quotas", $"The quota {new QuotaUse(quota, null, 0).Name} must not be negative; omit it for no limit.")
        : null;

    private static ProblemHttpResult NoSuchAccount() =>
        Problems.Of(StatusCodes.Status404NotFound, "account-not-found", "There is no account with this id; GET /api/v1/accounts lists the "
            + "accounts.");
}
