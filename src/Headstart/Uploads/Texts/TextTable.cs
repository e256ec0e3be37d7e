using System.Runtime.CompilerServices;
using System.Text.Unicode;
using CsvHelper;
using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Texts;

/// <summary>
/// The texts of a table: a header, then one row per text. Columns are found by name: <c>text</c>, and optionally <c>category</c> or
/// <c>label</c>, and <c>split</c>. With tabs as separators, a row is a line and a quote is a literal quote unless it encloses a whole cell;
/// otherwise cells are quoted as in RFC 4180. An unreadable row becomes a refused text; the others are read.
/// </summary>
internal static class TextTable
{
    private const char None = '\u001F'; // the separator of a table with one column: it occurs in no text
    private const string Wanted = "text,category";

    /// <param name="body">Seekable, read from its current position; it stays open.</param>
    /// <param name="tabs">Whether tabs separate its columns.</param>
    /// <param name="maxBytes">Limit for one row, in bytes.</param>
    /// <exception cref="RefusedException">The body is not such a table.</exception>
    public static async IAsyncEnumerable<SentText> ReadAsync(Stream body, bool tabs, int maxBytes,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var table = await TableText.OpenAsync(body, cancel);
        var separator = table.Separator ?? (tabs ? '\t' : None);
        Columns? columns = null;
        await foreach (var (cells, problem) in separator == '\t' ? LinesAsync(table.Utf8, maxBytes, cancel)
            : CsvAsync(table.Utf8, separator, maxBytes, cancel))
        {
            if (columns is null)
            {
                columns = problem is null ? Columns.Of(cells)
                    : throw Invalid($"The header of the table cannot be read: {problem.Value.Detail}");
            }
            else
            {
                yield return problem is { } unreadable ? SentText.Not(unreadable.Reason, unreadable.Detail) : columns.Read(cells);
            }
        }

        if (columns is null)
        {
            throw Invalid($"The table is empty. Its first row must name its columns, such as {Wanted}.");
        }
    }

    private static async IAsyncEnumerable<(string[] Cells, (string Reason, string Detail)? Problem)> LinesAsync(
        Stream body, int maxBytes, [EnumeratorCancellation] CancellationToken cancel)
    {
        var (columns, open) = (0, false); // open: inside a cell in quotes that goes on in the next line
        await foreach (var line in Utf8Lines.ReadAsync(body, maxBytes, cancel))
        {
            var cells = line.Text.Split('\t');
            columns = columns == 0 ? cells.Length : columns;
            var closes = open && cells[0] is [.., '"'] && IsLone(cells[0]);
            var opens = cells.Length < columns && cells[^1] is ['"', ..] && IsLone(cells[^1]) && !(closes && cells.Length == 1);
            yield return ([.. cells.Select(Unquoted)], line.Problem ?? (open || opens ? ("invalid-row", $"Line {line.Number} is part of a "
                + "cell in quotes that goes on in another line, or is never closed; send such texts as CSV or JSON Lines.") : null));
            open = opens || (open && !closes);
        }
    }

    /// <summary>Whether a quote in the cell belongs to one in another line: those inside a quoted cell are doubled.</summary>
    private static bool IsLone(string cell) => cell.AsSpan().Count('"') % 2 == 1;

    private static async IAsyncEnumerable<(string[] Cells, (string Reason, string Detail)? Problem)> CsvAsync(
        Stream body, char separator, int maxBytes, [EnumeratorCancellation] CancellationToken cancel)
    {
        var open = false;
        await using var csv = CsvReader.Create(body, CsvReaderOptions.Default with
        {
            HasHeader = false,
            Separator = separator,
            MaxRecordSize = maxBytes,
            OnMalformedRecord = record => open |= record.Reason == CsvMalformedReason.UnterminatedQuote,
        }, leaveOpen: true);
        while (await NextAsync(csv, cancel) is var there && there is not false)
        {
            if (there is null || open)
            {
                yield return ([], ("invalid-row", $"Row {csv.RowNumber + (there is null ? 1 : 0)} has a quote that is never closed, or "
                    + $"more than {maxBytes:N0} bytes; the rest of the table was not read."));
                yield break;
            }

            yield return Cells(csv.Current);
        }
    }

    private static (string[] Cells, (string Reason, string Detail)? Problem) Cells(CsvRow row)
    {
        var cells = new string[row.FieldCount];
        for (var i = 0; i < cells.Length; i++)
        {
            if (!Utf8.IsValid(row.GetSpan(i)))
            {
                return ([], ("invalid-utf8", $"Row {row.RowNumber} is not valid UTF-8; save the table as UTF-8 and send it again."));
            }

            cells[i] = row.GetString(i);
        }

        return (cells, null);
    }

    /// <returns>Whether there is a next row; null if it cannot be read.</returns>
    private static async Task<bool?> NextAsync(CsvReader csv, CancellationToken cancel)
    {
        try
        {
            return await csv.ReadAsync(cancel);
        }
        catch (CsvFormatException)
        {
            return null; // longer than the limit for a row
        }
    }

    private static string Unquoted(string cell) => cell is ['"', .., '"'] && cell.Length > 1
        && cell[1..^1].Replace("\"\"", "", StringComparison.Ordinal) is var inner
        && !inner.Contains('"', StringComparison.Ordinal) ? cell[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : cell;

    private static RefusedException Invalid(string sentence) => RefusedException.Invalid("invalid-table", sentence);

    /// <summary>The positions of the columns; -1 for a missing one.</summary>
    private sealed record Columns(int Count, int Text, int Category, int Split)
    {
        public static Columns Of(string[] header)
        {
            var found = ColumnNames.TwoCategories(header) is { } two ? throw Invalid(two) : ColumnNames.Find(header);
            return found.TryGetValue(Column.Text, out var text)
                ? new(header.Length, text, found.GetValueOrDefault(Column.Category, OfTexts(header)),
                    found.GetValueOrDefault(Column.Split, -1))
                : throw Invalid(ColumnNames.Unknown(Wanted, header));
        }

        /// <summary>The only column with a usual name for categories of texts; -1 if there is none or several.</summary>
        private static int OfTexts(string[] header) => Enumerable.Range(0, header.Length).Where(column => header[column].Trim()
            .ToLowerInvariant() is "sentiment" or "intent" or "topic" or "target" or "emotion").ToList() is [var only] ? only : -1;

        public SentText Read(string[] cells) => cells.Skip(Count).Any(cell => cell.Length > 0)
            ? SentText.Not("invalid-row", $"The row has {cells.Length} columns and the header {Count}; put a text that contains the "
                + "column separator in quotes.")
            : Text < cells.Length ? new(cells[Text],
                Cell(cells, Category) is { } category ? LabelCells.Value(category) : null, Split: Cell(cells, Split))
            : SentText.Not("invalid-row", $"The row has {cells.Length} columns, but the text belongs in column {Text + 1}.");

        private static string? Cell(string[] cells, int column) => column >= 0 && column < cells.Length ? cells[column] : null;
    }
}
