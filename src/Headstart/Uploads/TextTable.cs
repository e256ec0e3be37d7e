using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using CsvHelper;
using Headstart.Operations;

namespace Headstart.Uploads;

/// <summary>
/// The texts of a table: a header, then a row a text. Columns are found by their names: <c>text</c>, and if wanted <c>category</c> or <c>label</c>, and
/// <c>split</c>. With tabs between the columns a row is a line and a quote is a quote, unless all of a cell is in quotes; else cells are quoted as
/// in RFC 4180. A row that cannot be read is one with a problem, and the others are read.
/// </summary>
internal static class TextTable
{
    private const int HeaderBytes = 4_096;
    private const char None = '\u001F'; // between columns where there is one only: no text has it
    private const string Wanted = "The first row of the table must name its columns, such as text,category";

    private static readonly string[] TextNames = ["text", "sentence", "message", "content"], CategoryNames = ["category", "label", "class"];

    /// <param name="body">Seekable, from its current position; it stays open.</param>
    /// <param name="tabs">Whether it says that tabs stand between its columns.</param>
    /// <param name="maxBytes">That a row may have.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="UploadRefusedException">It is no such table.</exception>
    public static async IAsyncEnumerable<SentText> ReadAsync(Stream body, bool tabs, int maxBytes, [EnumeratorCancellation] CancellationToken cancel)
    {
        var separator = await SeparatorAsync(body, tabs, cancel);
        Columns? columns = null;
        await foreach (var (cells, problem) in separator == '\t' ? LinesAsync(body, maxBytes, cancel) : CsvAsync(body, separator, maxBytes, cancel))
        {
            if (columns is null)
            {
                columns = problem is null ? Columns.Of(cells) : throw Invalid($"{Wanted}. {problem.Value.Detail}");
            }
            else
            {
                yield return problem is { } unreadable ? SentText.Not(unreadable.Reason, unreadable.Detail) : columns.Read(cells);
            }
        }

        if (columns is null)
        {
            throw Invalid($"The table is empty. {Wanted}.");
        }
    }

    private static async IAsyncEnumerable<(string[] Cells, (string Reason, string Detail)? Problem)> LinesAsync(
        Stream body, int maxBytes, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var line in Utf8Lines.ReadAsync(body, maxBytes, cancel))
        {
            yield return ([.. line.Text.Split('\t').Select(Unquoted)], line.Problem);
        }
    }

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
                yield return ([], ("invalid-row", $"Row {csv.RowNumber + (there is null ? 1 : 0)} has a quote that is never closed, or more than {maxBytes:N0} bytes; nothing from there on was read."));
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

    /// <returns>Whether there is a next row; null where it cannot be read.</returns>
    private static async Task<bool?> NextAsync(CsvReader csv, CancellationToken cancel)
    {
        try
        {
            return await csv.ReadAsync(cancel);
        }
        catch (CsvFormatException)
        {
            return null; // longer than a row may be
        }
    }

    /// <summary>That of the header.</summary>
    private static async Task<char> SeparatorAsync(Stream body, bool tabs, CancellationToken cancel)
    {
        var (start, head) = (body.Position, new byte[HeaderBytes]);
        var read = await body.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel);
        body.Position = start;
        var line = Encoding.UTF8.GetString(head, 0, read).Split('\n')[0];
        return tabs && line.Contains('\t', StringComparison.Ordinal) ? '\t' : line.IndexOfAny(['\t', ',', ';']) is var at and >= 0 ? line[at] : tabs ? '\t' : None;
    }

    private static string Unquoted(string cell) => cell is ['"', .., '"'] && cell.Length > 1 && cell[1..^1].Replace("\"\"", "", StringComparison.Ordinal) is var inner
        && !inner.Contains('"', StringComparison.Ordinal) ? cell[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : cell;

    private static UploadRefusedException Invalid(string sentence) => UploadRefusedException.Invalid("invalid-table", sentence);

    /// <summary>Where what is; -1 for a column that the table has not.</summary>
    private sealed record Columns(int Count, int Text, int Category, int Split)
    {
        public static Columns Of(string[] header)
        {
            var names = header.Select(name => name.Trim().ToLowerInvariant()).ToList();
            var columns = new Columns(names.Count, names.FindIndex(TextNames.Contains), names.FindIndex(CategoryNames.Contains), names.IndexOf("split"));
            return columns.Text >= 0 ? columns : throw Invalid($"{Wanted}; the first row is \"{RequestBodies.Readable(string.Join(',', header))}\".");
        }

        public SentText Read(string[] cells) => cells.Skip(Count).Any(cell => cell.Length > 0)
            ? SentText.Not("invalid-row", $"The row has {cells.Length} columns and the header {Count}: a text that has what stands between columns in it must be in quotes.")
            : Text < cells.Length ? new(cells[Text], Cell(cells, Category), Split: Cell(cells, Split))
            : SentText.Not("invalid-row", $"The row has {cells.Length} columns and the text would be in column {Text + 1}.");

        private static string? Cell(string[] cells, int column) => column >= 0 && column < cells.Length ? cells[column] : null;
    }
}
