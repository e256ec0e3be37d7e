using System.Security.Cryptography;
using System.Text;

namespace Headstart.Access;

/// <summary>Makes and hashes API keys.</summary>
public static class Secrets
{
    /// <summary>190 bits of randomness: a plain SHA-256 of it cannot be guessed back, a slow hash would only cost time per request.</summary>
    public static string NewKey() => "hs_" + RandomNumberGenerator.GetString("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", 32);

    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    public static ApiKey Entity(Guid account, string name, string key, bool admin, DateTime now) => new()
    {
        Id = Guid.CreateVersion7(),
        AccountId = account,
        Name = name,
        Hash = Hash(key),
        Prefix = key[..Math.Min(6, key.Length / 3)],
        IsAdmin = admin,
        CreatedAt = now,
    };
}
