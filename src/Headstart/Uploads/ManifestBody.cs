using System.Runtime.CompilerServices;
using System.Text;
using Headstart.Operations;
using Headstart.Uploads.Formats;

namespace Headstart.Uploads;

/// <summary>A list of images in one of the text formats, each as base64 or as a URL to fetch.</summary>
internal sealed class ManifestBody : UploadBody
{
    private const int WordsBytes = 1 << 16; // of a row, not counting its file

    private static readonly string[] Foreign =
        ["\"source-ref\"", "\"imageGcsUri\"", "annotation", "\"file_name\"", "\"licenses\"", "\"info\"", "gs://"];

    private readonly UploadKind _kind;
    private readonly UploadSettings _limits;
    private readonly List<ManifestRow>? _foreign; // of another tool
    private readonly List<string> _names = []; // of rows that have nothing but the name of a file
    private int _count;
    private int _urls;

    private ManifestBody(UploadKind kind, Stream stream, UploadSettings limits, List<ManifestRow>? foreign)
        : base(stream) => (_kind, _limits, _foreign) = (kind, limits, foreign);

    public override int Count => _count;

    public override int Urls => _urls;

    /// <summary>If every row is only the name of a file, these names.</summary>
    public IReadOnlyList<string>? Names => _names.Count == _count ? _names : null;

    public static async Task<ManifestBody> OpenAsync(UploadKind kind, Stream stream, UploadSettings limits, CancellationToken cancel)
    {
        var body = new ManifestBody(kind, stream, limits, await ForeignAsync(stream, cancel));
        await foreach (var row in body.RowsAsync(cancel))
        {
            body._urls += row.Image.Url is null ? 0 : 1;
            if (row is { Reason: null, Image: { File: { } name, Url: null, Base64: null }, Categories: null })
            {
                body._names.Add(name);
            }

            if (++body._count > limits.MaxRows)
            {
                throw TooManyRows(limits.MaxRows);
            }
        }

        return body._count > 0 ? body : throw RefusedException.Invalid("no-files", "The manifest lists no images, so nothing was "
            + "added.");
    }

    public static RefusedException TooManyRows(int max) => RefusedException.TooLarge("too-many-rows",
        $"The manifest has more than {max:N0} rows (Headstart:Uploads:MaxRows); send it in parts.");

    public override async IAsyncEnumerable<UploadedFile> ReadAsync(int from, long unpacked,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        var number = 0;
        await foreach (var row in RowsAsync(cancel))
        {
            if (++number > from)
            {
                yield return row.Read(number, _limits.MaxFileBytes);
            }
        }
    }

    private IAsyncEnumerable<ManifestRow> RowsAsync(CancellationToken cancel)
    {
        if (_foreign is not null)
        {
            return _foreign.ToAsyncEnumerable();
        }

        Stream.Position = 0;
        var largest = (int)Math.Min(_limits.MaxFileBytes / 3 * 4L + WordsBytes, int.MaxValue / 2);
        return _kind switch
        {
            UploadKind.Json => JsonRows.ReadAsync(Stream, largest, cancel),
            UploadKind.Lines => LineRows.ReadAsync(Stream, largest, cancel),
            _ => TableRows.ReadAsync(Stream, cancel),
        };
    }

    /// <summary>The rows of a list that another tool wrote; null if it is one of ours, whose beginning has none of its words.</summary>
    private static async Task<List<ManifestRow>?> ForeignAsync(Stream stream, CancellationToken cancel)
    {
        var head = new byte[4_096];
        var read = await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel);
        stream.Position = 0;
        if (stream.Length > Annotation.MaxBytes || !LooksForeign(Encoding.UTF8.GetString(head, 0, read)))
        {
            return null;
        }

        var bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes, cancel);
        stream.Position = 0;
        return AnnotationFormats.ReadForeign(new("", bytes))?.ToList();
    }

    private static bool LooksForeign(string head) => head.TrimStart('\uFEFF', ' ', '\r', '\n', '\t') is ['[', ..]
        || Foreign.Any(word => head.Contains(word, StringComparison.OrdinalIgnoreCase));
}
