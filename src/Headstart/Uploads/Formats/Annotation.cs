using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using CsvHelper;

namespace Headstart.Uploads.Formats;

/// <summary>A file that may label images: its path in the upload, and its content as a table or as JSON.</summary>
internal sealed class Annotation
{
    /// <summary>Size limit for an annotation, which is held in memory.</summary>
    public const int MaxBytes = 64 << 20;

    private const int MaxRowBytes = 1 << 20; // a row of a table may hold polygons

    private static readonly JsonSerializerOptions Reading = new(JsonSerializerDefaults.Web)
    {
        AllowTrailingCommas = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
    };

    private readonly Lazy<JsonShape?> _json;
    private readonly char? _separator;

    /// <param name="path">Relative to the top of the upload.</param>
    /// <param name="bytes">UTF-8.</param>
    /// <param name="separator">Separator of the columns, if it is a table.</param>
    public Annotation(string path, byte[] bytes, char? separator = null)
    {
        _separator = separator;
        (Path, Bytes) = (path, bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes);
        _json = new(() => JsonShape.Of(Bytes.Span));
    }

    /// <summary>Relative to the top of the upload, with slashes; empty if it is the whole body.</summary>
    public string Path { get; }

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Its folder with a trailing slash; empty at the top.</summary>
    public string Folder => Path[..(Path.LastIndexOf('/') + 1)];

    public string Name => Path[Folder.Length..];

    /// <summary>null if it is not JSON.</summary>
    public JsonShape? Json => _json.Value;

    public string Quoted => Path.Length > 0 ? $"\"{RequestBodies.Readable(Path)}\"" : "The body";

    /// <summary>A stream from its start, without copying.</summary>
    public Stream Open() => MemoryMarshal.TryGetArray(Bytes, out var bytes)
        ? new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false) : throw new UnreachableException();

    /// <summary>Parses the whole file.</summary>
    /// <exception cref="RefusedException">The file is not what its beginning suggests.</exception>
    public T Parse<T>(string format)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(Bytes.Span, Reading) ?? throw Broken(format, "null");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Broken(format, e is JsonException { Path.Length: > 1 } json ? $"look at {json.Path}" : "it is not valid JSON");
        }
    }

    /// <summary>Parses each line of JSON Lines.</summary>
    public IEnumerable<T> Lines<T>(string format)
    {
        var (from, number) = (0, 0);
        while (from < Bytes.Length)
        {
            var end = Bytes.Span[from..].IndexOf((byte)'\n');
            var line = Bytes[from..(end < 0 ? Bytes.Length : from + end)];
            from = end < 0 ? Bytes.Length : from + end + 1;
            number++;
            if (!line.Span.Trim(" \t\r"u8).IsEmpty)
            {
                yield return Read(line.Span, number);
            }
        }

        T Read(ReadOnlySpan<byte> line, int number)
        {
            try
            {
                return JsonSerializer.Deserialize<T>(line, Reading) ?? throw Broken(format, $"line {number} is null");
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                throw Broken(format, $"look at line {number}");
            }
        }
    }

    /// <summary>The rows of a table including the header, with trimmed cells; empty if it is not a table.</summary>
    /// <param name="known">Whether it certainly is one. Then a quote that is never closed is an error; in any other text it means
    /// nothing.</param>
    /// <exception cref="RefusedException">The table cannot be read to its end.</exception>
    public IEnumerable<string[]> Rows(bool known = false)
    {
        var open = false;
        using var csv = CsvReader.Create(Open(), CsvReaderOptions.Default with
        {
            HasHeader = false,
            Separator = _separator ?? Separator(),
            MaxRecordSize = MaxRowBytes,
            OnMalformedRecord = record => open |= record.Reason == CsvMalformedReason.UnterminatedQuote,
        });
        while (Next(csv, ref open) && !(open && known))
        {
            var row = csv.Current;
            var cells = new string[row.FieldCount];
            for (var i = 0; i < cells.Length; i++)
            {
                cells[i] = row.GetString(i).Trim();
            }

            yield return cells;
        }

        if (open && known)
        {
            throw RefusedException.Invalid("invalid-annotations", $"{Quoted} cannot be read from about row {csv.RowNumber:N0} on: a quote "
                + $"is never closed, or a row is longer than {MaxRowBytes:N0} bytes; correct it. Nothing was added.");
        }
    }

    public RefusedException Broken(string format, string why) => RefusedException.Invalid("invalid-annotations",
        $"{Quoted} looks like {format}, but cannot be read ({why}); export it again. Nothing was added.");

    private static bool Next(CsvReader csv, ref bool open)
    {
        try
        {
            return csv.Read();
        }
        catch (CsvFormatException)
        {
            open = true; // longer than the limit for a row
            return false;
        }
    }

    private char Separator()
    {
        var line = Encoding.UTF8.GetString(Bytes.Span[..Math.Min(Bytes.Length, 4_096)]).Split('\n')[0];
        return line.IndexOfAny([',', ';', '\t']) is var at and >= 0 ? line[at] : ',';
    }
}
