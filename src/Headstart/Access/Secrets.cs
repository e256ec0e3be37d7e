using System.Security.Cryptography;
using System.Text;
using Headstart.Data;

namespace Headstart.Access;

/// <summary>Makes and hashes API keys.</summary>
public static class Secrets
{
    /// <summary>190 bits of randomness: a plain SHA-256 of it cannot be guessed back, a slow hash would only cost time per request.</summary>
    public static string NewKey() => "hs_" + RandomNumberGenerator.GetString("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", 32);

    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <param name="account">Whose it is.</param>
    /// <param name="name">What it is for.</param>
    /// <param name="key">The secret.</param>
    /// <param name="scopes">What it may do; all, if one of them is <see cref="Scope.Admin"/>.</param>
    /// <param name="now">When.</param>
    /// <param name="expires">When it ends.</param>
    public static ApiKey Entity(Guid account, string name, string key, IReadOnlyList<Scope> scopes, DateTime now, DateTime? expires = null) => new()
    {
        Id = Guid.CreateVersion7(),
        AccountId = account,
        Name = name,
        Hash = Hash(key),
        Prefix = key[..Math.Min(6, key.Length / 3)],
        Scopes = scopes.Contains(Scope.Admin) ? [.. Access.Scopes.All] : [.. scopes.Distinct().Order()],
        ExpiresAt = expires,
        CreatedAt = now,
    };
}
