using System.Runtime.CompilerServices;
using CsvHelper;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;
using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Manifests;

/// <summary>
/// The images of a table: a header, then one row per image. Columns are found by name (<see cref="ColumnNames"/>): url or file, category,
/// and optionally split. Several categories in one cell are separated by <c>|</c> or <c>;</c>. See <see cref="TableText"/> for encodings
/// and separators.
/// </summary>
internal static class TableRows
{
    private const int MaxRowBytes = 1 << 16;
    private const string Wanted = "url,category or file,category";

    /// <param name="body">Seekable, read from its current position; it stays open.</param>
    /// <exception cref="RefusedException">The body is not such a table.</exception>
    public static async IAsyncEnumerable<ManifestRow> ReadAsync(Stream body, [EnumeratorCancellation] CancellationToken cancel)
    {
        var start = body.Position;
        Columns? columns = null;
        await foreach (var row in CellsAsync(body, cancel))
        {
            columns = columns is null ? Columns.Of([.. row]) : columns;
            if (columns.Boxes is not { } boxes)
            {
                break;
            }

            boxes.Look(column => At(row, column));
        }

        if (columns is null)
        {
            throw Invalid($"The table is empty. Its first row must name its columns, such as {Wanted}.");
        }

        body.Position = start;
        await foreach (var row in CellsAsync(body, cancel).Skip(1))
        {
            yield return columns.Read(row);
        }
    }

    /// <summary>The cells of each row, starting with the header.</summary>
    private static async IAsyncEnumerable<string[]> CellsAsync(Stream body, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var table = await TableText.OpenAsync(body, cancel);
        var open = false;
        await using var csv = CsvReader.Create(table.Utf8, CsvReaderOptions.Default with
        {
            HasHeader = false,
            Separator = table.Separator ?? ',',
            MaxRecordSize = MaxRowBytes,
            OnMalformedRecord = record => open |= record.Reason == CsvMalformedReason.UnterminatedQuote,
        }, leaveOpen: true);
        var header = true;
        while (await NextAsync(csv, cancel))
        {
            yield return open && !header ? throw Invalid($"Row {csv.RowNumber} has a quote that is never closed; the rest of the table "
                + "was not "
                + "read.") : csv.Current.ToArray();
            header = false;
        }
    }

    private static string At(string[] row, int column) => column >= 0 && column < row.Length ? row[column].Trim() : "";

    private static async Task<bool> NextAsync(CsvReader csv, CancellationToken cancel)
    {
        try
        {
            return await csv.ReadAsync(cancel);
        }
        catch (CsvFormatException)
        {
            throw Invalid($"The table cannot be read after row {csv.RowNumber}: a row is longer than {MaxRowBytes:N0} bytes, "
                + "probably because a quote is never closed.");
        }
    }

    private static RefusedException Invalid(string sentence) => RefusedException.Invalid("invalid-manifest", sentence);

    /// <summary>The positions of the columns; -1 for a missing one.</summary>
    private sealed record Columns(int Count, int Url, int File, int Category, int Split, BoxColumns? Boxes)
    {
        private string _splitName = "";

        public static Columns Of(string[] header)
        {
            var found = ColumnNames.TwoCategories(header) is { } two ? throw Invalid(two) : ColumnNames.Find(header);
            var columns = new Columns(header.Length, At(Column.Url), At(Column.File), At(Column.Category), At(Column.Split),
                BoxColumns.Find(header));
            var flag = Array.FindIndex(header, name => LabelCells.Side(name, "1") is not null);
            columns = columns.Split >= 0 || flag < 0 ? columns : columns with { Split = flag, _splitName = header[flag] };
            return columns is { Category: >= 0, Url: >= 0 } or { Category: >= 0, File: >= 0 } ? columns
                : throw Invalid(ColumnNames.Unknown(Wanted, header));

            int At(Column column) => found.GetValueOrDefault(column, -1);
        }

        public ManifestRow Read(string[] row)
        {
            var (url, file) = (Cell(row, Url), Cell(row, File));
            var categories = CategoriesOf(row);
            // A row without a URL is about its file; next to a URL, the name is only a name.
            var image = new NewImage(url, File: url is null ? file : null, FileName: url is null ? null : file,
                Categories: categories, Split: SideOf(row));
            return LabelCells.Surplus(row, Count) is { } surplus ? ManifestRow.Unreadable(image, "invalid-row", surplus) : new(image)
            {
                Drawn = categories.Count > 1 && Boxes is not null
                    ? Drawing.Not("A row with a box has several categories; write a row for each.")
                    : Boxes?.Read(categories[0], column => TableRows.At(row, column)),
            };
        }

        private string? SideOf(string[] row) => Cell(row, Split) is { } cell ? LabelCells.Side(_splitName, cell) ?? cell : null;

        private List<string> CategoriesOf(string[] row) =>
            Category >= row.Length ? [""] : LabelCells.Of(row[Category]);

        private static string? Cell(string[] row, int column) =>
            column >= 0 && column < row.Length && row[column] is { Length: > 0 } text ? text : null;
    }
}
