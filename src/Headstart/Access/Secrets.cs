using System.Security.Cryptography;
using System.Text;
using Headstart.Data;

namespace Headstart.Access;

/// <summary>Makes and hashes API keys.</summary>
public static class Secrets
{
    /// <summary>A key with 190 random bits: its plain SHA-256 cannot be reversed, so a slow hash would only cost time.</summary>
    public static string NewKey() => "hs_" + RandomNumberGenerator.GetString("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789",
        32);

    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <param name="account">The account it belongs to.</param>
    /// <param name="name">What the key is for.</param>
    /// <param name="key">The secret.</param>
    /// <param name="scopes">What the key may do; everything, if one of them is <see cref="Scope.Admin"/>.</param>
    /// <param name="now">Creation time.</param>
    /// <param name="expires">Expiry; null for none.</param>
    public static ApiKey Entity(Guid account, string name, string key, IReadOnlyList<Scope> scopes, DateTime now,
        DateTime? expires = null) => new()
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
