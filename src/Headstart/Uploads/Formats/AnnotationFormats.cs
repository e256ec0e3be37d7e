using Headstart.Data;
using Headstart.Uploads.Files;
using Headstart.Uploads.Tables;

namespace Headstart.Uploads.Formats;

/// <summary>The formats that are known, the particular ones first.</summary>
internal static class AnnotationFormats
{
    private static readonly IAnnotationFormat[] All =
    [
        new LabelStudioJson(), new LabelStudioTable(), new CocoJson(), new CustomVisionJson(), new CreateMlJson(), new LabelMeJson(),
        new NanoNetsJson(), new LabelboxJson(), new ViaJson(), new ViaTable(), new SuperviselyJson(), new DarwinJson(), new DatumaroJson(),
        new FiftyOneJson(), new AmazonManifest(), new VertexLines(), new VertexTable(), new VocXml(), new CvatXml(), new LabelTable(),
    ];

    private static readonly IAnnotationFormat[] WithBoxes = [.. All, new NanoNetsObjects()];

    /// <summary>The rows of a file, for a model of this kind; null if it is of no known format.</summary>
    public static IEnumerable<ManifestRow>? Read(Annotation file, ModelKind kind) => Read(file, kind, _ => true);

    /// <summary>The same without tables whose columns alone say what they are: a body that is not a list of ours.</summary>
    public static IEnumerable<ManifestRow>? ReadForeign(Annotation file, ModelKind kind) =>
        Read(file, kind, format => format is not LabelTable);

    /// <summary>The rows of a table or list that is called as ours, if it is of another tool: it lacks one of our columns, and another
    /// format knows it.</summary>
    public static IEnumerable<ManifestRow>? ReadInPlaceOfOurs(Annotation file, ModelKind kind) => ReadForeign(file, kind)
        ?? (file.Json is null && file.Rows().FirstOrDefault() is { } header && ColumnNames.Find(header) is var found
            && !(found.ContainsKey(Column.Category) && (found.ContainsKey(Column.File) || found.ContainsKey(Column.Url)))
                ? Read(file, kind) : null);

    private static IEnumerable<ManifestRow>? Read(Annotation file, ModelKind kind, Func<IAnnotationFormat, bool> wanted) =>
        (kind.HasBoxes() ? WithBoxes : All).Where(wanted).Select(format => format.Read(file)).FirstOrDefault(rows => rows is not null)
            ?.Select(row => row.For(kind));
}
