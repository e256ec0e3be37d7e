using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Access;

/// <param name="Name">What the key is for, such as <c>web shop</c>.</param>
/// <param name="Admin">Shorthand for all scopes.</param>
/// <param name="Scopes">What the key may do; defaults to <c>read</c>, <c>predict</c> and <c>write</c>. <c>admin</c> includes the
/// others.</param>
/// <param name="ExpiresAt">When the key stops working; omit it for a key that does not expire.</param>
public sealed record NewKeyRequest(
    [property: Required] string? Name, bool Admin = false, IReadOnlyList<Scope>? Scopes = null, DateTimeOffset? ExpiresAt = null);

public sealed record KeyResponse(Guid Id, string Name, string Prefix, bool Admin, IReadOnlyList<Scope> Scopes, DateTime? ExpiresAt,
    DateTime CreatedAt, DateTime? RevokedAt);

/// <param name="Key">The secret key. It appears only in this response.</param>
public sealed record NewKeyResponse(Guid Id, string Name, string Key, string Prefix, bool Admin, IReadOnlyList<Scope> Scopes,
    DateTime? ExpiresAt, DateTime CreatedAt);

public static class KeysApi
{
    public static void MapKeys(this RouteGroupBuilder api)
    {
        var keys = api.MapGroup("/keys").WithTags("Keys").Needs(Scope.Admin);
        keys.MapPost("/", Create).Named("createKey", "Create an API key", "The response contains the key, which is never shown again. Its "
            + "scopes say what it may do: read, predict, write, admin. A key with only the scope predict may be published in a web page. "
            + "Needs an admin key.")
            .Example("""{"name":"web shop","scopes":["predict"]}""").Refuses(400, 401, 403, 422);
        keys.MapGet("/", List).Named("listKeys", "List the API keys", "Includes revoked keys.").Refuses(400, 401, 403);
        keys.MapDelete("/{keyId:guid}", Revoke).Named("revokeKey", "Revoke an API key",
            "It stops working at once. The last admin key that does not expire cannot be revoked.")
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

        if (request.Scopes is [])
        {
            return Problems.Invalid("invalid-scopes", "A key needs at least one of the scopes read, predict, write and admin; omit scopes "
                + "for the first three.");
        }

        if (request.Admin && request.Scopes is { } few && !few.Contains(Scope.Admin))
        {
            return Problems.Invalid("invalid-scopes", "An admin key has all scopes: omit scopes, or send admin as false.");
        }

        if (request.ExpiresAt <= clock.GetUtcNow())
        {
            return Problems.Invalid("invalid-expiry", "expiresAt must be in the future, such as 2030-01-31T00:00:00Z; omit it for a key "
                + "that does not expire.");
        }

        var secret = Secrets.NewKey();
        var scopes = request.Admin ? Scopes.All : request.Scopes ?? Scopes.Usual;
        var key = Secrets.Entity(caller.AccountId(), name, secret, scopes, clock.Now(), request.ExpiresAt?.UtcDateTime);
        db.Add(key);
        await db.SaveChangesAsync(cancel);
        return TypedResults.Created($"/api/v1/keys/{key.Id}",
            new NewKeyResponse(key.Id, key.Name, secret, key.Prefix, key.IsAdmin, key.Scopes, key.ExpiresAt, key.CreatedAt));
    }

    private static async Task<Page<KeyResponse>> List(
        HeadstartDb db, ClaimsPrincipal caller, int? limit, Guid? after, CancellationToken cancel)
    {
        var account = caller.AccountId();
        var keys = db.ApiKeys.AsNoTracking().Where(k => k.AccountId == account && (after == null || k.Id < after));
        return await Page.ReadAsync(keys.OrderByDescending(k => k.Id), limit, k => new KeyResponse(k.Id, k.Name, k.Prefix, k.IsAdmin,
            k.Scopes, k.ExpiresAt, k.CreatedAt, k.RevokedAt), k => k.Id.ToString(), cancel);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Revoke(
        Guid keyId, HeadstartDb db, KnownKeys known, TimeProvider clock, ClaimsPrincipal caller, CancellationToken cancel)
    {
        var account = caller.AccountId();
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // Locked in one order, so that two admins who revoke each other's key do not both succeed.
        var keys = await db.ApiKeys
            .FromSql($"""
                SELECT * FROM api_keys WHERE account_id = {account} AND revoked_at IS NULL AND ('Admin' = ANY(scopes) OR id = {keyId})
                ORDER BY id FOR UPDATE
                """)
            .AsTracking().ToListAsync(cancel);
        if (keys.SingleOrDefault(k => k.Id == keyId) is not { } key)
        {
            return Problems.Of(StatusCodes.Status404NotFound, "key-not-found", "There is no API key with this id, or it is already "
                + "revoked; GET /api/v1/keys lists the keys.");
        }

        if (Lasts(key) && keys.Count(Lasts) == 1)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "last-admin-key", "This is the only admin key that does not expire; create "
                + "another one before you revoke it.");
        }

        key.RevokedAt = clock.Now();
        await db.SaveChangesAsync(cancel);
        await Announcements.SayAsync(db, Announcement.Keys, cancel);
        await transaction.CommitAsync(cancel);
        known.Forget();
        return TypedResults.NoContent();
    }

    /// <summary>An account always keeps one of these, so that it cannot be locked out.</summary>
    private static bool Lasts(ApiKey key) => key is { IsAdmin: true, ExpiresAt: null };
}
