using Microsoft.AspNetCore.Mvc;

namespace Headstart.Http;

/// <summary>One page of a list, newest first. Pass <c>next</c> as <c>?after=</c> to get the following page.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>The <c>?limit=</c> of a list, and how a page is cut.</summary>
public static class Page
{
    public const int DefaultLimit = 50;
    public const int MaxLimit = 200;

    /// <summary>The requested limit, clamped to 1 to <see cref="MaxLimit"/>.</summary>
    public static int Limit(int? asked) => Math.Clamp(asked ?? DefaultLimit, 1, MaxLimit);

    /// <param name="rows">Up to <paramref name="limit"/> + 1 rows: the extra one only shows that there is a next page.</param>
    public static Page<T> Of<T>(List<T> rows, int limit, Func<T, string> key) =>
        rows.Count > limit ? new(rows[..limit], key(rows[limit - 1])) : new(rows, null);
}

/// <summary>Selects a page of a list.</summary>
/// <param name="Limit">Number of entries, 1 to 200.</param>
/// <param name="After">Starts after this entry: the <c>next</c> of the previous page.</param>
public sealed record PageQuery([property: FromQuery(Name = "limit")] int? Limit, [property: FromQuery(Name = "after")] Guid? After);
