using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Data;
using Headstart.Uploads.Formats;

namespace Headstart.Uploads.Datasets;

/// <summary>
/// Writes images and their boxes as COCO (https://cocodataset.org/#format-data), which <see cref="CocoJson"/> reads back without loss.
/// Memory holds one image; the lists are written to temporary files.
/// </summary>
/// <param name="folder">Folder of the temporary files.</param>
/// <param name="categories">The names of the model's categories by their ids.</param>
internal sealed class CocoWriter(string folder, IReadOnlyDictionary<Guid, string> categories) : IAsyncDisposable
{
    private readonly Stream _images = Spool.Create(folder), _unlabelled = Spool.Create(folder), _boxes = Spool.Create(folder);

    // Sorted by name, so that a copy of the model writes the same.
    private readonly List<(Guid Id, string Name)> _categories =
        [.. categories.Select(pair => (pair.Key, pair.Value)).OrderBy(pair => pair.Value, StringComparer.Ordinal)];

    private int _number; // of the last box

    public bool HasImages => _images.Length + _unlabelled.Length > 0;

    /// <param name="image">With its boxes.</param>
    /// <param name="id">Its number in the file.</param>
    /// <param name="file">Its name in the archive.</param>
    /// <param name="side">Its split.</param>
    public async Task AddAsync(Example image, int id, string file, string side, CancellationToken cancel)
    {
        await ListAsync(image.BoxesKnown ? _images : _unlabelled, new CocoImage(id, file, image.Width, image.Height,
            new(image.FileName, side, image.Confirmed, image.Origin)), cancel);
        foreach (var box in image.Boxes.OrderBy(box => box.Position))
        {
            // In double precision, so that reading them back gives the database's numbers exactly.
            var (width, height) = ((double)box.Width * image.Width, (double)box.Height * image.Height);
            await ListAsync(_boxes, new CocoBox(++_number, id, 1 + _categories.FindIndex(category => category.Id == box.CategoryId),
                [(double)box.X * image.Width, (double)box.Y * image.Height, width, height], width * height, box.Difficult ? 1 : 0), cancel);
        }
    }

    /// <summary>Returns the whole file, from its start.</summary>
    public async Task<Stream> EndAsync(CancellationToken cancel)
    {
        var whole = Spool.Create(folder);
        await TextAsync("{\"info\":{\"description\":\"Written by Headstart\"},\n\"categories\":");
        await JsonSerializer.SerializeAsync(whole, _categories.Select((category, i) => new CocoCategory(i + 1, category.Name)),
            DatasetExport.Lines, cancel);
        foreach (var (name, list) in new[] { ("images", _images), ("annotations", _boxes), ("unlabelled", _unlabelled) })
        {
            await TextAsync($",\n\"{name}\":[");
            list.Position = 0;
            await list.CopyToAsync(whole, cancel);
            await TextAsync("]");
        }

        await TextAsync("}\n");
        whole.Position = 0;
        return whole;

        ValueTask TextAsync(string text) => whole.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _images.DisposeAsync();
        await _unlabelled.DisposeAsync();
        await _boxes.DisposeAsync();
    }

    private static async Task ListAsync<T>(Stream list, T item, CancellationToken cancel)
    {
        await list.WriteAsync(list.Length > 0 ? ",\n"u8.ToArray() : "\n"u8.ToArray(), cancel);
        await list.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(item, DatasetExport.Lines), cancel);
    }

    private sealed record CocoImage(int Id, [property: JsonPropertyName("file_name")] string FileName, int Width, int Height,
        CocoJson.OwnWords Headstart);

    private sealed record CocoBox(
        int Id, [property: JsonPropertyName("image_id")] int ImageId, [property: JsonPropertyName("category_id")] int CategoryId,
        double[] Bbox, double Area, [property: JsonPropertyName("iscrowd")] int IsCrowd);

    private sealed record CocoCategory(int Id, string Name);
}
