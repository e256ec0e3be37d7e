using System.Runtime.CompilerServices;
using System.Text;
using CsvHelper;
using Headstart.Operations;
using Headstart.Uploads.Formats;

namespace Headstart.Uploads;

/// <summary>
/// The images of a table: a header, then one row per image. Columns are found by name: <c>url</c> or <c>file</c>, <c>category</c>, and
/// optionally <c>split</c> and <c>fileName</c>. Several categories in one cell are separated by <c>|</c> or <c>;</c>. The header determines
/// the column separator: comma, semicolon or tab.
/// </summary>
internal static class TableRows
{
    private const int MaxRowBytes = 1 << 16;
    private const string Wanted = "The first row of the table must name its columns, such as url,category or file,category";

    private static readonly string[] FileNames = ["file", "filename"], CategoryNames = ["category", "categories", "label", "labels"];

    /// <param name="body">From its current position; it stays open.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="RefusedException">The body is not such a table.</exception>
    public static async IAsyncEnumerable<ManifestRow> ReadAsync(Stream body, [EnumeratorCancellation] CancellationToken cancel)
    {
        var separator = await SeparatorAsync(body, cancel);
        var open = false;
        await using var csv = CsvReader.Create(body, CsvReaderOptions.Default with
        {
            HasHeader = false,
            Separator = separator,
            MaxRecordSize = MaxRowBytes,
            OnMalformedRecord = record => open |= record.Reason == CsvMalformedReason.UnterminatedQuote,
        }, leaveOpen: true);
        if (!await NextAsync(csv, cancel))
        {
            throw Invalid($"The table is empty. {Wanted}.");
        }

        var columns = Columns.Of(csv.Current.ToArray());
        while (await NextAsync(csv, cancel))
        {
            yield return open ? throw Invalid($"Row {csv.RowNumber} has a quote that is never closed; the rest of the table was not "
                + "read.") : columns.Read(csv.Current);
        }
    }

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

    /// <summary>Taken from the header: in the cells below, the other characters may separate categories.</summary>
    private static async Task<char> SeparatorAsync(Stream body, CancellationToken cancel)
    {
        var (start, head) = (body.Position, new byte[4_096]);
        var read = await body.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel);
        body.Position = start;
        var line = Encoding.UTF8.GetString(head, 0, read).Replace("\0", "", StringComparison.Ordinal).Split('\n')[0];
        return line.IndexOfAny([',', ';', '\t']) is var at and >= 0 ? line[at] : ',';
    }

    private static RefusedException Invalid(string sentence) => RefusedException.Invalid("invalid-manifest", sentence);

    /// <summary>The positions of the columns; -1 for a missing one.</summary>
    private sealed record Columns(int Url, int File, int Category, int Split)
    {
        public static Columns Of(string[] header)
        {
            var names = header.Select(name => name.Trim().Replace("_", "", StringComparison.Ordinal).ToLowerInvariant()).ToList();
            var columns = new Columns(Find("url"), Find(FileNames), Find(CategoryNames), Find("split"));
            columns = columns is { Url: < 0, File: < 0 } ? columns with { File = LabelWords.ImageColumn(header) } : columns;
            return columns is { Category: >= 0, Url: >= 0 } or { Category: >= 0, File: >= 0 } ? columns : throw Invalid(
                $"{Wanted}; the first row is \"{RequestBodies.Readable(string.Join(',', header))}\".");

            int Find(params string[] any) => names.FindIndex(any.Contains);
        }

        public ManifestRow Read(CsvRow row)
        {
            var (url, file) = (Cell(row, Url), Cell(row, File));
            // A row without a URL is about its file; next to a URL, the name is only a name.
            return new(new NewImage(url, File: url is null ? file : null, FileName: url is null ? null : file,
                Categories: CategoriesOf(row), Split: Cell(row, Split)));
        }

        private List<string> CategoriesOf(CsvRow row) =>
            Category >= row.FieldCount ? [""] : [.. row.GetString(Category).Split('|', ';').Select(name => name.Trim())];

        private static string? Cell(CsvRow row, int column) =>
            column >= 0 && column < row.FieldCount && row.GetString(column) is { Length: > 0 } text ? text : null;
    }
}
