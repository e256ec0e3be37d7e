namespace Headstart.Data;

/// <summary>One operation that changed something, or tried to.</summary>
public sealed class AuditEntry
{
    public required Guid Id { get; init; }

    public required DateTime At { get; init; }

    public required Guid AccountId { get; init; }

    public required Guid KeyId { get; init; }

    /// <summary>As it was then.</summary>
    public required string KeyName { get; init; }

    /// <summary>As the OpenAPI document calls it; its method and route where it is not in there.</summary>
    public required string Operation { get; init; }

    /// <summary>The values of the route, as JSON: which model, which image.</summary>
    public required string Subjects { get; init; }

    /// <summary>Of the answer; null while there is none, and for ever if the process died before it.</summary>
    public int? Status { get; init; }

    /// <summary>Where the request came from; null for one that a page made inside of the host.</summary>
    public string? Address { get; init; }
}
