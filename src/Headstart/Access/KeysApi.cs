using System.Security.Claims;
using Headstart.Data;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

public sealed record NewKeyRequest(string? Name, bool Admin = false);

public sealed record KeyResponse(Guid Id, string Name, string Prefix, bool Admin, DateTime CreatedAt, DateTime? RevokedAt);

/// <param name="Key">The secret itself. It is shown in this answer and never again.</param>
public sealed record NewKeyResponse(Guid Id, string Name, string Key, string Prefix, bool Admin, DateTime CreatedAt);

public static class KeysApi
{
    public static void MapKeys(this RouteGroupBuilder api)
    {
        var keys = api.MapGroup("/keys").WithTags("Keys").RequireAuthorization(KeyAuthentication.AdminPolicy);
        keys.MapPost("/", Create).Named("createKey", "Make an API key", "The key is in this answer and never shown again. Needs an admin key.")
            .Example("""{"name":"web shop"}""").Refuses(400, 401, 403, 422);
        keys.MapGet("/", List).Named("listKeys", "List the API keys", "Revoked keys stay in the list.").Refuses(400, 401, 403);
        keys.MapDelete("/{keyId:guid}", Revoke).Named("revokeKey", "Revoke an API key", "It stops working at once. The last admin key cannot be revoked.")
            .Refuses(401, 403, 404, 409);
    }

    private static async Task<Results<Created<NewKeyResponse>, ProblemHttpResult>> Create(
        NewKeyRequest request, HeadstartDb db, TimeProvider clock, ClaimsPrincipal caller, CancellationToken cancel)
    {
        var (name, problem) = Names.Read(request.Name, "key");
        if (name is null)
        {
            return Problems.Invalid("invalid-name", problem!);
        }

        var secret = Secrets.NewKey();
        var key = Secrets.Entity(caller.AccountId(), name, secret, request.Admin, clock.Now());
        db.Add(key);
        await db.SaveChangesAsync(cancel);
        return TypedResults.Created($"/api/v1/keys/{key.Id}", new NewKeyResponse(key.Id, key.Name, secret, key.Prefix, key.IsAdmin, key.CreatedAt));
    }

    private static async Task<Page<KeyResponse>> List(
        HeadstartDb db, ClaimsPrincipal caller, int? limit, Guid? after, CancellationToken cancel)
    {
        var size = Page.Limit(limit);
        var account = caller.AccountId();
        var rows = await db.ApiKeys.Where(k => k.AccountId == account && (after == null || k.Id < after))
            .OrderByDescending(k => k.Id).Take(size + 1)
            .Select(k => new KeyResponse(k.Id, k.Name, k.Prefix, k.IsAdmin, k.CreatedAt, k.RevokedAt))
            .ToListAsync(cancel);
        return Page.Of(rows, size, k => k.Id.ToString());
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Revoke(
        Guid keyId, HeadstartDb db, KnownKeys known, TimeProvider clock, ClaimsPrincipal caller, CancellationToken cancel)
    {
        var account = caller.AccountId();
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // Locked in one order, so that two admins who revoke each other's key do not both succeed.
        var keys = await db.ApiKeys
            .FromSql($"SELECT * FROM api_keys WHERE account_id = {account} AND revoked_at IS NULL AND (is_admin OR id = {keyId}) ORDER BY id FOR UPDATE")
            .AsTracking().ToListAsync(cancel);
        if (keys.SingleOrDefault(k => k.Id == keyId) is not { } key)
        {
            return Problems.Of(StatusCodes.Status404NotFound, "key-not-found", "There is no such key, or it is revoked already; GET /api/v1/keys lists them.");
        }

        if (key.IsAdmin && keys.Count(k => k.IsAdmin) == 1)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "last-admin-key", "This is the only admin key; make another one before you revoke it.");
        }

        key.RevokedAt = clock.Now();
        await db.SaveChangesAsync(cancel);
        await Announcements.SayAsync(db, Announcement.Keys, cancel);
        await transaction.CommitAsync(cancel);
        known.Forget();
        return TypedResults.NoContent();
    }
}
