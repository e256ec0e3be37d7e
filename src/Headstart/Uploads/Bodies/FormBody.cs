using System.Runtime.CompilerServices;
using Headstart.Data;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Bodies;

/// <summary>A form stored for an import; a form that is answered immediately is read as a stream.</summary>
internal sealed class FormBody : UploadBody
{
    private readonly string _boundary;
    private readonly UploadSettings _limits;
    private readonly ModelKind _model;
    private readonly SystemFiles _leftOut = new();
    private int _count;

    private FormBody(Stream stream, string boundary, ModelKind model, UploadSettings limits)
        : base(stream) => (_boundary, _model, _limits) = (boundary, model, limits);

    public override int Count => _count;

    public override IReadOnlyList<string> Notices => [.. _leftOut.Notices];

    public static async Task<FormBody> OpenAsync(Stream stream, string boundary, ModelKind model, UploadSettings limits,
        CancellationToken cancel)
    {
        var body = new FormBody(stream, boundary, model, limits);
        body._count = await body.ReadAsync(0, body._leftOut, cancel).CountAsync(cancel);
        return body._count > 0 ? body : throw RefusedException.Invalid("no-files", "The form has no part named file, so nothing "
            + "was added.");
    }

    public override IAsyncEnumerable<UploadedFile> ReadAsync(int from, long unpacked, CancellationToken cancel) =>
        ReadAsync(from, new(), cancel);

    private async IAsyncEnumerable<UploadedFile> ReadAsync(int from, SystemFiles leftOut,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        Stream.Position = 0;
        var number = 0;
        await foreach (var file in UploadReader.LabelledAsync(Stream, _boundary, _limits.MaxFileBytes, (_limits.MaxRows, _model), leftOut,
            cancel))
        {
            if (++number > _limits.MaxZipFiles)
            {
                throw RefusedException.TooLarge("too-many-files",
                    $"The form has more than {_limits.MaxZipFiles:N0} files (Headstart:Uploads:MaxZipFiles); send the rest in another "
                        + "request.");
            }

            if (number > from)
            {
                yield return file;
            }
        }
    }
}
