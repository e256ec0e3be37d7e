using Headstart.Data;
using Headstart.Uploads.Files;
using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Formats;

/// <summary>The known formats, the most specific first.</summary>
internal static class AnnotationFormats
{
    private static readonly IAnnotationFormat[] All =
    [
        new LabelStudioJson(), new LabelStudioTable(), new CocoJson(), new CustomVisionJson(), new CreateMlJson(), new LabelMeJson(),
        new NanoNetsJson(), new LabelboxJson(), new ViaJson(), new ViaTable(), new SuperviselyJson(), new DarwinJson(), new DatumaroJson(),
        new FiftyOneJson(), new AmazonManifest(), new VertexLines(), new VertexTable(), new VocXml(), new CvatXml(), new LabelTable(),
    ];

    private static readonly IAnnotationFormat[] WithBoxes = [.. All, new NanoNetsObjects()];

    /// <summary>The rows of a file for a model of this kind; null if its format is unknown.</summary>
    public static IEnumerable<ManifestRow>? Read(Annotation file, ModelKind kind) => Read(file, kind, _ => true);

    /// <summary>The same without formats recognised by column names alone: for a body that is not our own list.</summary>
    public static IEnumerable<ManifestRow>? ReadForeign(Annotation file, ModelKind kind) =>
        Read(file, kind, format => format is not LabelTable);

    /// <summary>The rows of a table or list that is named like ours but was written by another tool: it lacks one of our columns, and
    /// another format recognises it.</summary>
    public static IEnumerable<ManifestRow>? ReadInPlaceOfOurs(Annotation file, ModelKind kind) => ReadForeign(file, kind)
        ?? (file.Json is null && file.Rows().FirstOrDefault() is { } header && ColumnNames.Find(header) is var found
            && !(found.ContainsKey(Column.Category) && (found.ContainsKey(Column.File) || found.ContainsKey(Column.Url)))
                ? Read(file, kind) : null);

    private static IEnumerable<ManifestRow>? Read(Annotation file, ModelKind kind, Func<IAnnotationFormat, bool> wanted) =>
        (kind.HasBoxes() ? WithBoxes : All).Where(wanted).Select(format => format.Read(file)).FirstOrDefault(rows => rows is not null)
            ?.Select(row => row.For(kind));
}
