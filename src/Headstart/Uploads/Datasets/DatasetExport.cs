using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Uploads.Storing;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Uploads.Datasets;

/// <summary>
/// Exports a model's examples in formats that uploads read back: see <c>Manifest</c> and <c>TextBody</c>. Memory holds one page of rows,
/// however many there are. Examples added or deleted meanwhile may be missing, but every exported file has its row.
/// </summary>
internal sealed class DatasetExport(IDbContextFactory<HeadstartDb> databases, IBlobStore blobs, DataPaths paths)
{
    private const string Readme = "readme.txt";

    private const int PageSize = 500;

    internal static readonly JsonSerializerOptions Lines = new(Json.Options)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // never shown by a browser as a page
    };

    /// <summary>Whether a file is the export's readme.</summary>
    public static bool IsReadme(string name) => name.Equals(Readme, StringComparison.OrdinalIgnoreCase);

    /// <summary>Writes an archive; its table comes last, because it names the files that were written.</summary>
    public Task WriteImagesAsync(Model model, Stream body, CancellationToken cancel) =>
        model.Kind.HasBoxes() ? WriteBoxesAsync(model, body, cancel) : WriteLabelsAsync(model, body, cancel);

    private async Task WriteLabelsAsync(Model model, Stream body, CancellationToken cancel)
    {
        var folders = PlainNames.OfFolders(model.Categories.Select(category => category.Name));
        await using var table = Spool.Create(paths.Spool);
        await using var pending = new PendingStream(body);
        await using var zip = await ZipArchive.CreateAsync(pending, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null,
            cancel);
        var number = 0;
        await foreach (var (image, categories) in ExamplesAsync(model, cancel))
        {
            await using var blob = await blobs.OpenAsync(image.Sha256, cancel);
            if (blob is null)
            {
                continue; // deleted meanwhile
            }

            var file = string.Join('/', (string[])
                [Side(image), .. categories is [var only] && !model.Kind.TakesSeveral() ? [folders[only]] : Array.Empty<string>(),
                    $"{++number:D6}-{NameOf(image)}"]);
            await AddAsync(zip, file, image.CreatedAt, blob, cancel);
            await WriteLineAsync(table, new ImageRow(file, image.FileName, categories, Side(image), image.Confirmed, image.Origin), cancel);
        }

        var readme = Encoding.UTF8.GetBytes($"""
            The data set of the model "{model.Name}", written by Headstart: {number:N0} images.

            labels.jsonl has a line for each image: its file here, its original name, its categories, its split, whether a user has
            confirmed the categories, and for an image from the web its source, author and licence.

            To read it into another model: curl -H "Authorization: Bearer KEY" -H "Content-Type: application/zip" --data-binary @FILE.zip HOST/api/v1/models/MODEL/images

            """);
        table.Position = 0;
        await AddAsync(zip, Readme, model.CreatedAt, new MemoryStream(readme), cancel);
        await AddAsync(zip, "labels.jsonl", model.CreatedAt, table, cancel);
    }

    /// <summary>Writes the images into one folder, and a COCO file for each split that has some.</summary>
    private async Task WriteBoxesAsync(Model model, Stream body, CancellationToken cancel)
    {
        var categories = model.Categories.ToDictionary(category => category.Id, category => category.Name);
        await using var train = new CocoWriter(paths.Spool, categories);
        await using var test = new CocoWriter(paths.Spool, categories);
        await using var pending = new PendingStream(body);
        await using var zip = await ZipArchive.CreateAsync(pending, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null,
            cancel);
        var number = 0;
        await foreach (var (image, _) in ExamplesAsync(model, cancel))
        {
            await using var blob = await blobs.OpenAsync(image.Sha256, cancel);
            if (blob is null)
            {
                continue; // deleted meanwhile
            }

            var file = $"{++number:D6}-{NameOf(image)}";
            await AddAsync(zip, $"images/{file}", image.CreatedAt, blob, cancel);
            await (image.Split == Split.Test ? test : train).AddAsync(image, number, file, Side(image), cancel);
        }

        var readme = Encoding.UTF8.GetBytes($"""
            The data set of the model "{model.Name}", written by Headstart: {number:N0} images.

            train.json and test.json are COCO annotations of the files in images: x, y, width and height of each box in pixels of the upright image.
            iscrowd is 1 for boxes that are not learned from and not counted if missed. For each image, "headstart" has its original name,
            its split, whether a user has confirmed its boxes, and for an image from the web its source, author and licence.
            "unlabelled" lists images that nobody has labelled yet.

            To read it into another model: curl -H "Authorization: Bearer KEY" -H "Content-Type: application/zip" --data-binary @FILE.zip HOST/api/v1/models/MODEL/images

            """);
        await AddAsync(zip, Readme, model.CreatedAt, new MemoryStream(readme), cancel);
        foreach (var (side, name) in new[] { (train, "train.json"), (test, "test.json") })
        {
            if (side.HasImages)
            {
                await using var coco = await side.EndAsync(cancel);
                await AddAsync(zip, name, model.CreatedAt, coco, cancel);
            }
        }
    }

    /// <summary>One JSON object per line.</summary>
    public async Task WriteTextsAsync(Model model, Stream body, CancellationToken cancel)
    {
        await foreach (var (text, categories) in ExamplesAsync(model, cancel))
        {
            await WriteLineAsync(body, new TextRow(text.Text ?? "", categories is [var category, ..] ? category : null, Side(text),
                text.Confirmed, text.FileName.Length > 0 ? text.FileName : null), cancel);
        }
    }

    /// <summary>Oldest first, with the names of their categories.</summary>
    private async IAsyncEnumerable<(Example Example, List<string> Categories)> ExamplesAsync(Model model,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        var names = model.Categories.ToDictionary(category => category.Id, category => category.Name);
        for (var after = Guid.Empty; ;)
        {
            // A context per page: the client may read slowly, and no connection should wait for it.
            await using var db = await databases.CreateDbContextAsync(cancel);
            var page = await db.Examples.AsNoTracking().WithLabels(model.Kind).Where(e => e.ModelId == model.Id && e.Id > after)
                .OrderBy(e => e.Id).Take(PageSize).ToListAsync(cancel);
            foreach (var example in page)
            {
                // A category created after the request is unknown here, so the example is left out.
                if (example.Labels.TrueForAll(label => names.ContainsKey(label.CategoryId)))
                {
                    yield return (example, [.. example.Labels.Select(label => names[label.CategoryId]).Order(StringComparer.Ordinal)]);
                }
            }

            if (page.Count < PageSize)
            {
                yield break;
            }

            after = page[^1].Id;
        }
    }

    private static async Task AddAsync(ZipArchive zip, string name, DateTime at, Stream content, CancellationToken cancel)
    {
        // Not uncompressed: programs that unpack while downloading could not tell where such a file ends.
        var entry = zip.CreateEntry(name, CompressionLevel.Fastest);
        entry.LastWriteTime = new DateTimeOffset(at);
        await using var stream = await entry.OpenAsync(cancel);
        await content.CopyToAsync(stream, cancel);
    }

    private static async Task WriteLineAsync<T>(Stream to, T row, CancellationToken cancel)
    {
        await to.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(row, Lines), cancel);
        await to.WriteAsync("\n"u8.ToArray(), cancel);
    }

    private static string Side(Example example) => example.Split == Split.Test ? "test" : "train";

    /// <summary>The uploaded name with an extension that matches the content.</summary>
    private static string NameOf(Example image)
    {
        var stem = Path.GetFileNameWithoutExtension(image.FileName.Split('/', '\\')[^1]);
        var type = image.MediaType[(image.MediaType.IndexOf('/', StringComparison.Ordinal) + 1)..];
        return $"{PlainNames.OfFile(stem)}.{(type == "jpeg" ? "jpg" : type)}";
    }

    private sealed record ImageRow(
        string File, string FileName, IReadOnlyList<string> Categories, string Split, bool Confirmed, ImageOrigin? Origin);

    private sealed record TextRow(string Text, string? Category, string Split, bool Confirmed, string? FileName);
}
