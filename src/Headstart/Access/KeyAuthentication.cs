using System.Globalization;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using Headstart.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Headstart.Access;

/// <summary>Marks endpoints whose clients may send the bare key, without Bearer or Basic before it, and expect a Basic challenge.</summary>
public sealed class TakesBareKey;

/// <summary><c>Authorization: Bearer KEY</c>, or HTTP Basic with the key as user name.</summary>
public sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, KnownKeys keys, KeyGuesses guesses)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "ApiKey";

    /// <summary>Equals <see cref="Scopes.Name"/> of <see cref="Scope.Admin"/>.</summary>
    public const string AdminPolicy = "admin";

    /// <summary>Key of <c>HttpContext.Items</c> under which a request from a page of this host carries the hash of its API key.</summary>
    public static readonly object HashItem = new();

    private TimeSpan? _wait;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // Anonymous endpoints such as health ignore keys, so that they need no database.
        if (Context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null || ReadHash() is not { } hash)
        {
            return AuthenticateResult.NoResult();
        }

        _wait = guesses.Wait(Context);
        if (_wait is not null)
        {
            return AuthenticateResult.Fail("too many unknown keys");
        }

        if (await keys.FindAsync(hash, Context.RequestAborted) is { } found)
        {
            return AuthenticateResult.Success(new(new ClaimsPrincipal(Caller.Identity(found, hash, Scheme.Name)), Scheme.Name));
        }

        guesses.Count(Context, hash);
        return AuthenticateResult.Fail("unknown key");
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (_wait is { } wait)
        {
            await Context.TooManyAsync(wait, "Too many failed sign-ins from your IP address");
            return;
        }

        var hash = ReadHash();
        // A challenge with Basic makes browsers ask for a user name and password; scripts are better off without it.
        Response.Headers.WWWAuthenticate = Request.Path.StartsWithSegments("/hangfire") || BareKeyWillDo ? "Basic realm=\"Headstart\""
            : "Bearer";
        await Context.AnswerAsync(Problems.Of(StatusCodes.Status401Unauthorized, "unauthorized",
            hash is null && Request.Headers.Authorization.Count == 0
                ? "This endpoint needs an API key: send Authorization: Bearer KEY, or HTTP Basic with the key as user name."
            : hash is not null && await keys.HasExpiredAsync(hash, Context.RequestAborted)
                ? "The API key has expired; ask an administrator for a new one (POST /api/v1/keys with an admin key)."
                : "The API key is unknown or revoked; the host printed the first key when it started on an empty data folder."));
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Context.AnswerAsync(Scopes.Refusal(Context));

    private bool BareKeyWillDo => Context.GetEndpoint()?.Metadata.GetMetadata<TakesBareKey>() is not null;

    private byte[]? ReadHash() => Context.Items.TryGetValue(HashItem, out var hash) ? Convert.FromHexString((string)hash!)
        : ReadKey(Request.Headers.Authorization.ToString(), BareKeyWillDo) is { } key ? Secrets.Hash(key) : null;

    private static string? ReadKey(string header, bool bare)
    {
        var blank = header.IndexOf(' ');
        if (bare && blank < 0 && header.Length is > 0 and <= 1_000)
        {
            return header;
        }

        var value = blank < 0 ? "" : header[(blank + 1)..].Trim();
        if (value.Length is 0 or > 1_000)
        {
            return null;
        }

        var scheme = header.AsSpan(0, blank);
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return value;
        }

        var bytes = new byte[value.Length];
        return scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) && Convert.TryFromBase64String(value, bytes, out var length)
            ? Encoding.UTF8.GetString(bytes, 0, length).Split(':')[0]
            : null;
    }
}

/// <summary>The claims of the calling API key.</summary>
public static class Caller
{
    public const string AccountClaim = "account";
    public const string KeyClaim = "key";
    public const string KeyHashClaim = "key-hash";
    private const string QuotaClaim = "quota-";

    /// <param name="key">The key that the request was made with.</param>
    /// <param name="hash">SHA-256 of the key.</param>
    /// <param name="scheme">The authentication scheme it was sent with.</param>
    public static ClaimsIdentity Identity(KnownKey key, byte[] hash, string scheme)
    {
        var identity = new ClaimsIdentity(scheme);
        identity.AddClaim(new(AccountClaim, key.AccountId.ToString()));
        identity.AddClaim(new(KeyClaim, key.Id.ToString()));
        identity.AddClaim(new(KeyHashClaim, Convert.ToHexStringLower(hash)));
        identity.AddClaims(key.Scopes.Select(scope => new Claim(ClaimTypes.Role, Scopes.Name(scope))));
        if (key.IsOperator && key.Scopes.Contains(Scope.Admin))
        {
            identity.AddClaim(new(ClaimTypes.Role, Scopes.Operator));
        }

        identity.AddClaim(new(ClaimTypes.Name, key.Name));
        identity.AddClaims(Enum.GetValues<Quota>().Where(quota => key.Quotas[quota] is not null)
            .Select(quota => new Claim(QuotaClaim + quota, key.Quotas[quota]!.Value.ToString(CultureInfo.InvariantCulture))));
        return identity;
    }

    /// <summary>The limit of the caller's account, at most two seconds old; null for no limit.</summary>
    public static long? Limit(this ClaimsPrincipal caller, Quota quota) =>
        caller.FindFirstValue(QuotaClaim + quota) is { } limit ? long.Parse(limit, CultureInfo.InvariantCulture) : null;

    public static string KeyName(this ClaimsPrincipal caller) => caller.FindFirstValue(ClaimTypes.Name)!;

    public static Guid AccountId(this ClaimsPrincipal caller) => Guid.Parse(caller.FindFirstValue(AccountClaim)!);

    public static Guid KeyId(this ClaimsPrincipal caller) => Guid.Parse(caller.FindFirstValue(KeyClaim)!);
}
