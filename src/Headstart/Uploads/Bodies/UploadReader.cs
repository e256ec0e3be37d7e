using System.Runtime.CompilerServices;
using System.Text;
using Headstart.Data;
using Headstart.Uploads.Files;
using Headstart.Uploads.Manifests;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Headstart.Uploads.Bodies;

/// <summary>Reads files from <c>multipart/form-data</c> one at a time, so memory holds one file however large the request is.</summary>
public static class UploadReader
{
    private const int MaxFieldBytes = 4_096;

    /// <summary>Reads the files of a form and ignores its fields, however many there are.</summary>
    /// <param name="request">Its body is read to its end.</param>
    /// <param name="boundary">See <see cref="RequestBodies.Boundary(HttpRequest)"/>.</param>
    /// <param name="maxFileBytes">Limit for one file; it is held in memory.</param>
    /// <exception cref="BadHttpRequestException">The body is not well-formed multipart; the files before that point were
    /// yielded.</exception>
    public static async IAsyncEnumerable<UploadedFile> ReadAsync(HttpRequest request, string boundary, int maxFileBytes,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        var reader = new MultipartReader(boundary, request.Body);
        while (await NextAsync(reader, cancel) is { } section)
        {
            var (name, fileName) = NamesOf(section);
            if (name == "file")
            {
                yield return await FileAsync(section, fileName, null, maxFileBytes, cancel);
            }
            else if (!IsField(name, fileName))
            {
                yield return Unnamed(name, fileName, null);
            }
        }
    }

    /// <summary>
    /// Reads the files of a form in which fields named category say what they show. With <paramref name="manifests"/>, a part named
    /// manifest with up to that many rows may precede the files and label them, see <see cref="Manifest"/>.
    /// </summary>
    /// <param name="body">Read to its end.</param>
    /// <param name="boundary">See <see cref="RequestBodies.Boundary(HttpRequest)"/>.</param>
    /// <param name="maxFileBytes">Limit for one file; it is held in memory.</param>
    /// <param name="manifests">Limit for a manifest, and the kind of its model; null if none is allowed.</param>
    /// <param name="leftOut">Counts files of operating systems, which are not yielded.</param>
    /// <exception cref="RefusedException">It is not certain which category belongs to which file, and no file with a category was yielded;
    /// or the form has a second manifest or too many categories.</exception>
    /// <exception cref="BadHttpRequestException">The body is not well-formed multipart; the files before that point were
    /// yielded.</exception>
    internal static async IAsyncEnumerable<UploadedFile> LabelledAsync(Stream body, string boundary, int maxFileBytes,
        (int MaxRows, ModelKind Kind)? manifests, SystemFiles leftOut, [EnumeratorCancellation] CancellationToken cancel)
    {
        var order = new FormOrder();
        var held = new List<UploadedFile>();
        await foreach (var file in PartsAsync(body, boundary, maxFileBytes, manifests, order, cancel))
        {
            if (file is not null && leftOut.Take(file.FileName))
            {
                continue;
            }

            // null is a category field, which may settle the files before it.
            held.AddRange(file is null ? [] : [file]);
            if (file is null || order.Add(file))
            {
                foreach (var certain in held)
                {
                    yield return certain;
                }

                held.Clear();
            }
        }

        order.End();
        foreach (var certain in held)
        {
            yield return certain;
        }
    }

    /// <summary>Each file, and null for each category field.</summary>
    private static async IAsyncEnumerable<UploadedFile?> PartsAsync(Stream body, string boundary, int maxFileBytes,
        (int MaxRows, ModelKind Kind)? manifests, FormOrder order, [EnumeratorCancellation] CancellationToken cancel)
    {
        var reader = new MultipartReader(boundary, body);
        Manifest? manifest = null;
        while (await NextAsync(reader, cancel) is { } section)
        {
            var (name, fileName) = NamesOf(section);
            if (manifests is var (rows, kind) && name == "manifest")
            {
                manifest = manifest is not null ? throw SecondManifest() : await ManifestAsync(section, rows, kind, cancel);
                order.HasManifest = true;
            }
            else if (IsField(name, fileName))
            {
                var field = await BodyAsync(section, MaxFieldBytes, cancel);
                if (FieldTypos.Sentence("The form", name, manifests is null ? ["category"] : ["category", "manifest"]) is { } typo)
                {
                    throw RefusedException.Invalid("unknown-field", $"{typo} Files before it may have been kept; sending them again adds "
                        + "nothing twice.");
                }

                if (name == "category")
                {
                    order.Add(field is null ? new string('?', Names.MaxLength + 1) : Encoding.UTF8.GetString(field));
                    yield return null;
                }
            }
            else if (name != "file")
            {
                await BodyAsync(section, 0, cancel);
                yield return Unnamed(name, fileName, order.Categories);
            }
            else
            {
                yield return Told(await FileAsync(section, fileName, order.Categories, maxFileBytes, cancel), manifest,
                    manifests?.Kind.HasBoxes() is true);
            }
        }

        foreach (var missing in manifest?.Rest() ?? [])
        {
            yield return missing;
        }
    }

    private static (string Name, string FileName) NamesOf(MultipartSection section)
    {
        var disposition = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var parsed) ? parsed : null;
        return (HeaderUtilities.RemoveQuotes(disposition?.Name ?? default).ToString(), RequestBodies.FileNameOf(disposition));
    }

    /// <summary>Some clients send text fields as parts with filename="": these are fields, too.</summary>
    private static bool IsField(string name, string fileName) => name.Length > 0 && fileName.Length == 0 && name != "file";

    /// <summary>A part that is neither a field nor named file.</summary>
    private static UploadedFile Unnamed(string name, string fileName, IReadOnlyList<string>? categories) =>
        new(fileName, name.Length == 0
            ? new FileContent.Unusable("part-without-name", "A part of the form has no name; send files in parts named file.")
            : new FileContent.Unusable("unknown-part",
                $"The form has a part named \"{RequestBodies.Shorten(name)}\"; send files in parts named file."), categories);

    private static async Task<UploadedFile> FileAsync(
        MultipartSection section, string fileName, IReadOnlyList<string>? categories, int maxBytes, CancellationToken cancel) =>
        new(fileName, FileContent.Of(await BodyAsync(section, maxBytes, cancel), maxBytes), categories);

    /// <summary>The manifest takes precedence over the category field.</summary>
    /// <param name="later">Whether a user may say later what a file shows.</param>
    private static UploadedFile Told(UploadedFile file, Manifest? manifest, bool later) => manifest is null ? file
        : manifest.FindOnce(file.FileName) is { } said ? file with
        {
            Content = file.Unusable ?? said.Problem ?? file.Content,
            Categories = said.Categories,
            Drawn = said.Drawn,
            Split = said.Split,
            Confirmed = said.Row.Confirmed is true,
            Origin = said.Row.Origin,
        }
        : later || file.Categories is not null || file.Unusable is not null ? file
        : file with
        {
            Content = new FileContent.Unusable("not-in-manifest", "The manifest has no row for this file; add one, or a field named "
                + "category before the file."),
        };

    private static async Task<Manifest> ManifestAsync(MultipartSection section, int maxRows, ModelKind kind, CancellationToken cancel) =>
        await BodyAsync(section, Manifest.MaxBytes, cancel) is { } bytes
            ? await Manifest.ReadAsync(new MemoryStream(bytes), maxRows, kind, cancel)
            : throw RefusedException.TooLarge("too-large", $"The manifest is larger than {Manifest.MaxBytes:N0} bytes; send the "
                + "files in several requests.");

    private static RefusedException SecondManifest() => RefusedException.Invalid("several-manifests", "The form has several parts named "
        + "manifest; send one with all rows. Files before the second may have been kept; sending them again adds nothing twice.");

    private static async Task<byte[]?> BodyAsync(MultipartSection section, int limit, CancellationToken cancel)
    {
        try
        {
            return await RequestBodies.ReadToEndAsync(section.Body, limit, cancel);
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw Broken(e);
        }
    }

    private static async Task<MultipartSection?> NextAsync(MultipartReader reader, CancellationToken cancel)
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancel);
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw Broken(e);
        }
    }

    private static BadHttpRequestException Broken(Exception e) =>
        new("The multipart body is malformed or incomplete; send it again. Files that arrived before that point are kept, and sending "
            + "them again adds nothing twice.", e);
}
