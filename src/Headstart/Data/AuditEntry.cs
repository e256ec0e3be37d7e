namespace Headstart.Data;

/// <summary>An operation that changed something or tried to.</summary>
public sealed class AuditEntry
{
    public required Guid Id { get; init; }

    public required DateTime At { get; init; }

    public required Guid AccountId { get; init; }

    public required Guid KeyId { get; init; }

    /// <summary>The key's name at that time.</summary>
    public required string KeyName { get; init; }

    /// <summary>Its operationId in the OpenAPI document, otherwise its method and route.</summary>
    public required string Operation { get; init; }

    /// <summary>The values in the route, as JSON: which model, which image.</summary>
    public required string Subjects { get; init; }

    /// <summary>HTTP status of the response; null while the request runs, and if the process died before responding.</summary>
    public int? Status { get; init; }

    /// <summary>IP address of the client; null for a request of a page of this host.</summary>
    public string? Address { get; init; }
}
