using System.Runtime.CompilerServices;
using System.Text;
using Headstart.Data;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;
using Headstart.Uploads.Formats;
using Headstart.Uploads.Manifests;

namespace Headstart.Uploads.Bodies;

/// <summary>A list of images in one of the text formats, each as base64 or as a URL to fetch.</summary>
internal sealed class ManifestBody : UploadBody
{
    private const int WordsBytes = 1 << 16; // bytes of a row without its file

    private static readonly string[] Foreign =
        ["\"source-ref\"", "\"imageGcsUri\"", "annotation", "\"file_name\"", "\"licenses\"", "\"info\"", "gs://", "\"data_row\"",
            "region_attributes", "\"filepath\""];

    private readonly UploadKind _kind;
    private readonly UploadSettings _limits;
    private readonly ModelKind _model;
    private List<ManifestRow>? _read; // if it is another tool's, or has one box per row
    private readonly List<string> _names = []; // of rows with only the name of a file
    private int _count;
    private int _urls;

    private ManifestBody(UploadKind kind, Stream stream, UploadSettings limits, ModelKind model)
        : base(stream) => (_kind, _limits, _model) = (kind, limits, model);

    public override int Count => _count;

    public override int Urls => _urls;

    /// <summary>If every row is only the name of a file, these names.</summary>
    public IReadOnlyList<string>? Names => _names.Count == _count ? _names : null;

    public static async Task<ManifestBody> OpenAsync(UploadKind kind, Stream stream, UploadSettings limits, ModelKind model,
        CancellationToken cancel)
    {
        var body = new ManifestBody(kind, stream, limits, model);
        body._read = await body.ForeignAsync(cancel)
            ?? (model.HasBoxes() && kind == UploadKind.Table ? await body.OneEachAsync(cancel) : null);
        await foreach (var row in body.RowsAsync(cancel))
        {
            body._urls += row.Image.Url is null ? 0 : 1;
            if (row is { Reason: null, Image: { File: { } name, Url: null, Base64: null }, Categories: null, Drawn: null })
            {
                body._names.Add(name);
            }

            if (++body._count > limits.MaxRows)
            {
                throw ManifestRow.TooMany(limits.MaxRows);
            }
        }

        return body._count > 0 ? body : throw RefusedException.Invalid("no-files", "The manifest lists no images, so nothing was added.");
    }

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
        if (_read is not null)
        {
            return _read.ToAsyncEnumerable();
        }

        Stream.Position = 0;
        var largest = (int)Math.Min(_limits.MaxFileBytes / 3 * 4L + WordsBytes, int.MaxValue / 2);
        return (_kind switch
        {
            UploadKind.Json => JsonRows.ReadAsync(Stream, largest, cancel),
            UploadKind.Lines => LineRows.ReadAsync(Stream, largest, cancel),
            _ => TableRows.ReadAsync(Stream, cancel),
        }).Select(row => row.For(_model));
    }

    /// <summary>The rows of a table; merges rows with boxes of the same image.</summary>
    private async Task<List<ManifestRow>> OneEachAsync(CancellationToken cancel)
    {
        var (rows, places) = (new List<ManifestRow>(), new Dictionary<string, int>(StringComparer.Ordinal));
        var number = 0;
        await foreach (var row in RowsAsync(cancel))
        {
            if (++number > _limits.MaxRows)
            {
                throw ManifestRow.TooMany(_limits.MaxRows);
            }

            if ((row.Image.Url ?? row.Image.File) is not { } image || places.TryAdd(image, rows.Count))
            {
                rows.Add(row);
                continue;
            }

            var before = rows[places[image]];
            rows[places[image]] = before with
            {
                Drawn = Drawing.Join(before.Drawn, before.Categories, row.Drawn, row.Categories),
                Image = before.Image with { Split = before.Image.Split ?? row.Image.Split },
            };
        }

        return rows;
    }

    /// <summary>The rows of another tool's list; null if the list is ours, whose beginning has none of the tools' words.</summary>
    private async Task<List<ManifestRow>?> ForeignAsync(CancellationToken cancel)
    {
        var head = new byte[4_096];
        var read = await Stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel);
        Stream.Position = 0;
        if (Stream.Length > Annotation.MaxBytes || !LooksForeign(Encoding.UTF8.GetString(head, 0, read)))
        {
            return null;
        }

        var bytes = new byte[Stream.Length];
        await Stream.ReadExactlyAsync(bytes, cancel);
        Stream.Position = 0;
        return AnnotationFormats.ReadForeign(new("", bytes), _model)?.ToList();
    }

    private static bool LooksForeign(string head) => head.TrimStart('\uFEFF', ' ', '\r', '\n', '\t') is ['[', ..]
        || Foreign.Any(word => head.Contains(word, StringComparison.OrdinalIgnoreCase));
}
