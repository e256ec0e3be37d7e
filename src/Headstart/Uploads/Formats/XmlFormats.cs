using System.Text.RegularExpressions;
using System.Xml;

namespace Headstart.Uploads.Formats;

/// <summary>Pascal VOC: one XML for each image, with the names of its objects (LabelImg, CVAT, Roboflow and others write it).</summary>
internal sealed partial class VocXml : IAnnotationFormat
{
    public string Name => "Pascal VOC";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        using var xml = Xml.RootOf(file, "annotation");
        if (xml is null)
        {
            return null;
        }

        var (labels, image) = (new List<string>(), "");
        var inObject = false;
        while (Xml.Read(xml, file, Name))
        {
            var (start, end) = (xml.NodeType == XmlNodeType.Element && !xml.IsEmptyElement, xml.NodeType == XmlNodeType.EndElement);
            inObject = xml is { Depth: 1, Name: "object" } ? start || (inObject && !end) : inObject;
            if (start && xml is { Depth: 1, Name: "filename" })
            {
                image = Xml.Text(xml, file, Name);
            }
            else if (start && inObject && xml is { Depth: 2, Name: "name" })
            {
                labels.Add(Xml.Text(xml, file, Name));
            }
        }

        // The file is called as its image; the name inside has the ending too, or is the one from before a renaming.
        var own = Path.GetFileNameWithoutExtension(file.Name);
        var folder = Annotations().Replace(file.Folder, "$1JPEGImages/"); // and not its masks, which are called the same
        return own.Length == 0 ? [Labelled.Row(Name, image, labels)]
            : Path.GetFileNameWithoutExtension(image) == own ? [Labelled.Row(Name, folder + image, labels) with { OtherName = own }]
            : [Labelled.Row(Name, folder + own, labels) with { OtherName = image }];
    }

    [GeneratedRegex("(^|/)Annotations/$", RegexOptions.IgnoreCase)]
    private static partial Regex Annotations();
}

/// <summary>CVAT for images 1.1: tags, or boxes and shapes, of each image
/// (https://docs.cvat.ai/docs/dataset_management/formats/format-cvat).</summary>
internal sealed class CvatXml : IAnnotationFormat
{
    private static readonly HashSet<string> Shapes =
        ["box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton"];

    public string Name => "CVAT XML";

    public IEnumerable<ManifestRow>? Read(Annotation file)
    {
        using var xml = Xml.RootOf(file, "annotations");
        if (xml is null)
        {
            return null;
        }

        var rows = new List<ManifestRow>();
        var (image, side, tags, shapes) = ("", (string?)null, new List<string>(), new List<string>());
        while (Xml.Read(xml, file, Name))
        {
            if (xml is { NodeType: XmlNodeType.Element, Depth: 1, Name: "image" })
            {
                (image, side, tags, shapes) = (xml.GetAttribute("name") ?? "", xml.GetAttribute("subset"), [], []);
                if (xml.IsEmptyElement)
                {
                    rows.Add(Labelled.Row(Name, image, [], side));
                }
            }
            else if (xml is { NodeType: XmlNodeType.EndElement, Depth: 1, Name: "image" })
            {
                rows.Add(Labelled.Row(Name, image, tags.Count > 0 ? tags : shapes, side));
            }
            else if (xml is { NodeType: XmlNodeType.Element, Depth: 1, Name: "track" })
            {
                throw file.Broken("CVAT for video", "its labels belong to frames; export the task as \"CVAT for images 1.1\"");
            }
            else if (xml is { NodeType: XmlNodeType.Element, Depth: 2 })
            {
                (xml.Name == "tag" ? tags : Shapes.Contains(xml.Name) ? shapes : []).Add(xml.GetAttribute("label") ?? "");
            }
        }

        return rows;
    }
}

/// <summary>Reads XML without definitions, entities or anything from elsewhere.</summary>
internal static class Xml
{
    /// <summary>At its root; null if that is another element.</summary>
    public static XmlReader? RootOf(Annotation file, string name)
    {
        if (!file.Bytes.Span.TrimStart(" \t\r\n"u8).StartsWith("<"u8))
        {
            return null;
        }

        var xml = XmlReader.Create(file.Open(), new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreWhitespace = true,
        });
        try
        {
            if (xml.MoveToContent() == XmlNodeType.Element && xml.Name == name)
            {
                return xml;
            }
        }
        catch (XmlException)
        {
            // not XML, or with a definition
        }

        xml.Dispose();
        return null;
    }

    public static bool Read(XmlReader xml, Annotation file, string format)
    {
        try
        {
            return xml.Read();
        }
        catch (XmlException e)
        {
            throw file.Broken(format, $"look at line {e.LineNumber}");
        }
    }

    /// <summary>The text of an element whose start has been read; the reader stays in it.</summary>
    public static string Text(XmlReader xml, Annotation file, string format) =>
        Read(xml, file, format) && xml.NodeType is XmlNodeType.Text or XmlNodeType.CDATA ? xml.Value.Trim() : "";
}
