using System.ComponentModel.DataAnnotations;
using Headstart.Data;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.ImageSearches;

public sealed record CandidateQuery
{
    /// <summary>Only candidates in this state.</summary>
    [FromQuery(Name = "state")]
    public string? State { get; init; }

    /// <summary>Only candidates of this category.</summary>
    [FromQuery(Name = "category")]
    public string? Category { get; init; }

    /// <summary>Number of entries per page.</summary>
    [FromQuery(Name = "limit")]
    public int? Limit { get; init; }

    /// <summary>Only candidates after this position.</summary>
    [FromQuery(Name = "after")]
    public int? After { get; init; }
}

/// <param name="Id">Id of the model.</param>
public sealed record CandidatePath(
    [property: FromRoute(Name = "id")] Guid Id, [property: FromRoute(Name = "searchId")] Guid SearchId,
    [property: FromRoute(Name = "position")] int Position);
