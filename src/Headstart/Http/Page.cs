using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Http;

/// <summary>One page of a list, newest first. Pass <c>next</c> as <c>?after=</c> to get the following page.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>How a page is read. The limit is clamped to 1 to <see cref="MaxLimit"/>.</summary>
public static class Page
{
    public const int DefaultLimit = 50;
    public const int MaxLimit = 200;

    /// <summary>Reads a page of rows that are already filtered and sorted.</summary>
    /// <param name="rows">The rows after the previous page.</param>
    /// <param name="limit">The requested limit.</param>
    /// <param name="show">Converts a row to what is sent.</param>
    /// <param name="key">What <c>?after=</c> says to continue behind an entry.</param>
    /// <param name="cancel">Cancels the query.</param>
    public static Task<Page<T>> ReadAsync<TRow, T>(IQueryable<TRow> rows, int? limit, Func<TRow, T> show, Func<T, string> key,
        CancellationToken cancel) => ReadAsync(rows, limit, async some => (await some.ToListAsync(cancel)).Select(show).ToList(), key);

    /// <summary>The same for entries that are more than a row.</summary>
    /// <param name="rows">The rows after the previous page.</param>
    /// <param name="limit">The requested limit.</param>
    /// <param name="read">Reads the entries of some of the rows, in the same order.</param>
    /// <param name="key">What <c>?after=</c> says to continue behind an entry.</param>
    public static async Task<Page<T>> ReadAsync<TRow, T>(IQueryable<TRow> rows, int? limit,
        Func<IQueryable<TRow>, Task<List<T>>> read, Func<T, string> key)
    {
        var size = Math.Clamp(limit ?? DefaultLimit, 1, MaxLimit);
        var shown = await read(rows.Take(size + 1)); // the extra one only shows that there is a next page
        return shown.Count > size ? new(shown[..size], key(shown[size - 1])) : new(shown, null);
    }
}

/// <summary>Selects a page of a list.</summary>
/// <param name="Limit">Number of entries, 1 to 200.</param>
/// <param name="After">Starts after this entry: the <c>next</c> of the previous page.</param>
public sealed record PageQuery([property: FromQuery(Name = "limit")] int? Limit, [property: FromQuery(Name = "after")] Guid? After);
