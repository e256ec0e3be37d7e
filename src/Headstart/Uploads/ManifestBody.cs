using System.Runtime.CompilerServices;
using Headstart.Operations;

namespace Headstart.Uploads;

/// <summary>A list of images in one of the text formats, each as base64 or as a URL to fetch.</summary>
internal sealed class ManifestBody : UploadBody
{
    private const int WordsBytes = 1 << 16; // of a row, not counting its file
    private readonly UploadKind _kind;
    private readonly UploadSettings _limits;
    private readonly List<string> _names = []; // of rows that have nothing but the name of a file
    private int _count;
    private int _urls;

    private ManifestBody(UploadKind kind, Stream stream, UploadSettings limits)
        : base(stream) => (_kind, _limits) = (kind, limits);

    public override int Count => _count;

    public override int Urls => _urls;

    /// <summary>If every row is only the name of a file, these names.</summary>
    public IReadOnlyList<string>? Names => _names.Count == _count ? _names : null;

    public static async Task<ManifestBody> OpenAsync(UploadKind kind, Stream stream, UploadSettings limits, CancellationToken cancel)
    {
        var body = new ManifestBody(kind, stream, limits);
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
        Stream.Position = 0;
        var largest = (int)Math.Min(_limits.MaxFileBytes / 3 * 4L + WordsBytes, int.MaxValue / 2);
        return _kind switch
        {
            UploadKind.Json => JsonRows.ReadAsync(Stream, largest, cancel),
            UploadKind.Lines => LineRows.ReadAsync(Stream, largest, cancel),
            _ => TableRows.ReadAsync(Stream, cancel),
        };
    }
}
