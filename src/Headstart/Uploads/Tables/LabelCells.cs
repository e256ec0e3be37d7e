using System.Text.Json;
using System.Text.RegularExpressions;

namespace Headstart.Uploads.Tables;

/// <summary>Reads labels and splits from cells of tables.</summary>
internal static partial class LabelCells
{
    /// <summary>
    /// The labels in a cell: separated by <c>|</c> or <c>;</c>, or a list in JSON or as Python prints it. A missing value, as spreadsheets
    /// and programs write it, is an empty label.
    /// </summary>
    /// <returns>At least one, which is empty if the cell has none.</returns>
    public static List<string> Of(string cell) => ListIn(cell.Trim()) switch
    {
        null => [.. cell.Split('|', ';').Select(label => Value(label.Trim()))],
        [] => [""],
        var list => list.ConvertAll(label => label ?? ""),
    };

    /// <summary>The cell; empty for a missing value.</summary>
    public static string Value(string cell) => cell.Trim() is "nan" or "NaN" or "NAN" or "null" or "NULL" or "<NA>" or "#N/A" or "#N/A N/A"
        or "#NA" or "#NV" or "#REF!" or "#VALUE!" or "#NAME?" or "#DIV/0!" ? "" : cell;

    /// <summary>The split in a column such as <c>is_test</c>, with 1 or true in its cells; null for any other column.</summary>
    public static string? Side(string column, string cell) =>
        string.Concat(column.Where(char.IsLetter)).ToLowerInvariant() is not ("istest" or "istrain" or "istraining") ? null
        : cell.Trim().ToLowerInvariant() is "1" or "1.0" or "true" or "yes"
            ? column.Contains("test", StringComparison.OrdinalIgnoreCase) ? "test" : "train"
        : cell.Trim().ToLowerInvariant() is "0" or "0.0" or "false" or "no"
            ? column.Contains("test", StringComparison.OrdinalIgnoreCase) ? "train" : "test" : "";

    /// <summary>Why a row is refused that goes on after the last column of the header, unless with empty cells; null if it does
    /// not.</summary>
    public static string? Surplus(string[] cells, int columns) => cells.Skip(columns).All(string.IsNullOrWhiteSpace) ? null
        : $"The row has {cells.Length} columns and the header {columns}; put a cell that contains the column separator in quotes, and "
            + "separate several categories with |.";

    private static List<string?>? ListIn(string cell)
    {
        if (cell is not ['[', .., ']'])
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<List<string?>>(cell);
        }
        catch (JsonException)
        {
            return Python().IsMatch(cell) ? [.. Quoted().Matches(cell).Select(label => label.Value[1..^1])] : null;
        }
    }

    [GeneratedRegex(@"^\[\s*('[^'\\]*'|""[^""\\]*"")(\s*,\s*('[^'\\]*'|""[^""\\]*""))*\s*\]$", RegexOptions.NonBacktracking)]
    private static partial Regex Python();

    [GeneratedRegex(@"'[^'\\]*'|""[^""\\]*""", RegexOptions.NonBacktracking)]
    private static partial Regex Quoted();
}
