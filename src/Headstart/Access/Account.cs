namespace Headstart.Access;

/// <summary>Owns models and API keys. What belongs to one account does not exist for another.</summary>
public sealed class Account
{
    public required Guid Id { get; init; }

    public required string Name { get; set; }

    public required DateTime CreatedAt { get; init; }
}

/// <summary>An API key; only its SHA-256 is kept, so a stolen database opens nothing.</summary>
public sealed class ApiKey
{
    public required Guid Id { get; init; }

    public required Guid AccountId { get; init; }

    public required string Name { get; set; }

    public required byte[] Hash { get; init; }

    /// <summary>The first characters of the key, so that people can tell their keys apart.</summary>
    public required string Prefix { get; init; }

    /// <summary>An admin key makes and revokes keys and opens the job dashboard.</summary>
    public required bool IsAdmin { get; init; }

    public required DateTime CreatedAt { get; init; }

    public DateTime? RevokedAt { get; set; }
}
