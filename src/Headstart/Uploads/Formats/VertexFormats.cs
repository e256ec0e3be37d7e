using System.Text.Json;
using System.Text.Json.Serialization;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>
/// Google AutoML and Vertex AI, CSV: an optional split, the image in a bucket, and its labels; no header. Boxes have a label and eight
/// numbers. (https://cloud.google.com/vertex-ai/docs/image-data/classification/prepare-data)
/// </summary>
internal sealed class VertexTable : IAnnotationFormat
{
    public string Name => "Vertex AI CSV";

    public IEnumerable<ManifestRow>? Read(Annotation file) =>
        file.Json is null && file.Rows().FirstOrDefault() is { Length: > 1 } first && first.Take(2).Any(IsBucket)
            ? file.Rows(known: true).Where(cells => cells.Take(2).Any(IsBucket)).Select(Row) : null;

    private ManifestRow Row(string[] cells)
    {
        var used = !IsBucket(cells[0]);
        var labels = cells[(used ? 2 : 1)..];
        return Labelled.Row(Name, cells[used ? 1 : 0], HasBox(labels) ? labels[..1] : labels, used ? cells[0] : null) with
        {
            Drawn = HasBox(labels) ? DrawingOf(labels[0], labels[1..]) : null,
        };
    }

    /// <summary>Two opposite corners relative to the image, each followed by empty cells, or all four.</summary>
    private static Drawing? DrawingOf(string label, string[] numbers)
    {
        var points = numbers.Chunk(2).Where(pair => pair[0].Length > 0 || pair[1].Length > 0)
            .Select(pair => (X: JsonNumbers.Parse(pair[0]), Y: JsonNumbers.Parse(pair[1]))).ToList();
        return points.Count == 0 ? label.Length == 0 ? Drawing.Nothing : null
            : new(DrawingUnit.Parts, [points.Count == 2 || IsRectangle(points) ? DrawnBox.Around(label, points)
                : DrawnBox.Not(label, "has corners that are not those of an upright rectangle; give two opposite corners, or all four.")]);
    }

    private static bool IsRectangle(List<(double? X, double? Y)> points) => points.Count == 4
        && points.Select(p => p.X).Distinct().Count() == 2 && points.Select(p => p.Y).Distinct().Count() == 2
        && points.Distinct().Count() == 4;

    private static bool HasBox(string[] labels) =>
        labels.Length == 9 && labels.Skip(1).All(cell => cell.Length == 0 || double.TryParse(cell, out _));

    private static bool IsBucket(string cell) => cell.StartsWith("gs://", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Vertex AI, JSON Lines: <c>imageGcsUri</c> with one annotation, several, or boxes.</summary>
internal sealed class VertexLines : IAnnotationFormat
{
    private const string Use = "aiplatform.googleapis.com/ml_use";

    public string Name => "Vertex AI JSON Lines";

    public IEnumerable<ManifestRow>? Read(Annotation file) => file.Json is { IsList: false } shape && shape.Has("imageGcsUri")
        ? file.Lines<Item>(Name).Where(item => item.ImageGcsUri is not null).Select(item => Labelled.Row(Name, item.ImageGcsUri!,
            [.. new[] { item.ClassificationAnnotation }.Concat(item.ClassificationAnnotations ?? [])
                .Concat(item.BoundingBoxAnnotations ?? []).Concat(item.PolygonAnnotations ?? [])
                .Select(annotation => annotation?.DisplayName ?? "")],
            item.DataItemResourceLabels?.GetValueOrDefault(Use)) with
        { Drawn = DrawingOf(item) }) : null;

    private static Drawing? DrawingOf(Item item) => item is { BoundingBoxAnnotations: null, PolygonAnnotations: null } ? null
        : new(DrawingUnit.Parts, [
            .. (item.BoundingBoxAnnotations ?? []).Select(box => DrawnBox.Cornered(box?.DisplayName, box?.XMin.Number(), box?.YMin.Number(),
                box?.XMax.Number(), box?.YMax.Number())),
            .. (item.PolygonAnnotations ?? []).Select(polygon => DrawnBox.Around(polygon?.DisplayName,
                [.. (polygon?.Vertexes ?? default).Elements().Select(point => (point.Number("x"), point.Number("y")))]))]);

    private sealed record Item(
        string? ImageGcsUri, Labelling? ClassificationAnnotation, List<Labelling?>? ClassificationAnnotations,
        List<Labelling?>? BoundingBoxAnnotations, List<Labelling?>? PolygonAnnotations, Dictionary<string, string>? DataItemResourceLabels);

    private sealed record Labelling([property: JsonConverter(typeof(AnyText))] string? DisplayName, JsonElement XMin, JsonElement YMin,
        JsonElement XMax, JsonElement YMax, JsonElement Vertexes);
}
