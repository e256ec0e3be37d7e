namespace Headstart.Data;

/// <summary>Owns models and API keys. Accounts cannot see each other's data.</summary>
public sealed class Account
{
    public required Guid Id { get; init; }

    public required string Name { get; set; }

    /// <summary>The installation's first account: its admin keys create the other accounts and see what concerns all of them.</summary>
    public bool IsOperator { get; init; }

    public Quotas Quotas { get; set; } = new();

    public required DateTime CreatedAt { get; init; }
}

/// <summary>An API key; only its SHA-256 is stored, so a stolen database gives no access.</summary>
public sealed class ApiKey
{
    public required Guid Id { get; init; }

    public required Guid AccountId { get; init; }

    public required string Name { get; set; }

    public required byte[] Hash { get; init; }

    /// <summary>The first characters of the key, so that users can tell their keys apart.</summary>
    public required string Prefix { get; init; }

    /// <summary>What the key may do. <see cref="Scope.Admin"/> includes all others.</summary>
    public required Scope[] Scopes { get; init; }

    public bool IsAdmin => Scopes.Contains(Scope.Admin);

    /// <summary>When the key stops working; null if it does not expire.</summary>
    public DateTime? ExpiresAt { get; init; }

    public required DateTime CreatedAt { get; init; }

    public DateTime? RevokedAt { get; set; }
}
