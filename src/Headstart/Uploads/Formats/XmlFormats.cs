using System.Text.RegularExpressions;
using System.Xml;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>Pascal VOC: an XML file per image with the names of its objects (LabelImg, CVAT, Roboflow and others write it).</summary>
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
        var boxes = new List<VocObject>();
        var (width, height) = ((double?)null, (double?)null);
        var (inObject, inBox, inSize) = (false, false, false);
        while (Xml.Read(xml, file, Name))
        {
            var (start, end) = (xml.NodeType == XmlNodeType.Element && !xml.IsEmptyElement, xml.NodeType == XmlNodeType.EndElement);
            inObject = xml is { Depth: 1, Name: "object" } ? start || (inObject && !end) : inObject;
            inSize = xml is { Depth: 1, Name: "size" } ? start : inSize;
            inBox = xml is { Depth: 2, Name: "bndbox" } ? start && inObject : inBox;
            if (start && xml is { Depth: 1, Name: "object" })
            {
                boxes.Add(new());
            }
            if (start && xml is { Depth: 1, Name: "filename" })
            {
                image = Xml.Text(xml, file, Name);
            }
            else if (start && inObject && xml is { Depth: 2, Name: "name" })
            {
                labels.Add(Xml.Text(xml, file, Name));
                boxes[^1].Name = labels[^1];
            }
            else if (start && inObject && xml is { Depth: 2, Name: "difficult" or "robndbox" })
            {
                boxes[^1].IsTurned |= xml.Name == "robndbox";
                boxes[^1].IsDifficult |= xml.Name == "difficult" && Xml.Text(xml, file, Name) == "1";
            }
            else if (start && inBox && xml is { Depth: 3, Name: "xmin" or "ymin" or "xmax" or "ymax" } && xml.Name is var side)
            {
                boxes[^1].Sides[side] = JsonNumbers.Parse(Xml.Text(xml, file, Name));
            }
            else if (start && inSize && xml is { Depth: 2, Name: "width" })
            {
                width = JsonNumbers.Parse(Xml.Text(xml, file, Name));
            }
            else if (start && inSize && xml is { Depth: 2, Name: "height" })
            {
                height = JsonNumbers.Parse(Xml.Text(xml, file, Name));
            }
        }

        var drawn = new Drawing(DrawingUnit.Pixels, boxes.ConvertAll(box => box.Drawn), PixelSize.Of(width, height));
        // The file is named after its image; the name inside includes the extension, or predates a renaming.
        var own = Path.GetFileNameWithoutExtension(file.Name);
        var folder = Annotations().Replace(file.Folder, "$1JPEGImages/"); // not its masks, which have the same names
        return own.Length == 0 ? [Labelled.Row(Name, image, labels) with { Drawn = drawn }]
            : Path.GetFileNameWithoutExtension(image) == own
                ? [Labelled.Row(Name, folder + image, labels) with { OtherName = own, Drawn = drawn }]
            : [Labelled.Row(Name, folder + own, labels) with { OtherName = image, Drawn = drawn }];
    }

    /// <summary>An object while it is being read.</summary>
    private sealed class VocObject
    {
        public string? Name { get; set; }

        public bool IsDifficult { get; set; }

        public bool IsTurned { get; set; }

        public Dictionary<string, double?> Sides { get; } = [];

        public DrawnBox Drawn => IsTurned ? DrawnBox.Not(Name, "is turned (robndbox); draw it upright.")
            : DrawnBox.Cornered(Name, Sides.GetValueOrDefault("xmin"), Sides.GetValueOrDefault("ymin"), Sides.GetValueOrDefault("xmax"),
                Sides.GetValueOrDefault("ymax"), IsDifficult);
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
        var (boxes, size) = (new List<DrawnBox>(), (PixelSize?)null);
        while (Xml.Read(xml, file, Name))
        {
            if (xml is { NodeType: XmlNodeType.Element, Depth: 1, Name: "image" })
            {
                (image, side, tags, shapes) = (xml.GetAttribute("name") ?? "", xml.GetAttribute("subset"), [], []);
                (boxes, size) = ([], PixelSize.Of(Number(xml, "width"), Number(xml, "height")));
                if (xml.IsEmptyElement)
                {
                    rows.Add(Labelled.Row(Name, image, [], side) with { Drawn = Drawing.Nothing });
                }
            }
            else if (xml is { NodeType: XmlNodeType.EndElement, Depth: 1, Name: "image" })
            {
                rows.Add(Labelled.Row(Name, image, tags.Count > 0 ? tags : shapes, side) with
                {
                    Drawn = boxes.Count == 0 && tags.Count > 0 ? null : new(DrawingUnit.Pixels, boxes, size),
                });
            }
            else if (xml is { NodeType: XmlNodeType.Element, Depth: 1, Name: "track" })
            {
                throw file.Broken("CVAT for video", "its labels belong to frames; export the task as \"CVAT for images 1.1\"");
            }
            else if (xml is { NodeType: XmlNodeType.Element, Depth: 2 })
            {
                (xml.Name == "tag" ? tags : Shapes.Contains(xml.Name) ? shapes : []).Add(xml.GetAttribute("label") ?? "");
                if (Shapes.Contains(xml.Name))
                {
                    boxes.Add(Drawn(xml));
                }
            }
        }

        return rows;
    }

    private static DrawnBox Drawn(XmlReader xml)
    {
        var label = xml.GetAttribute("label");
        return Number(xml, "rotation") is { } angle and not 0
            ? DrawnBox.Not(label, FormattableString.Invariant($"is turned by {angle:0.#} degrees; draw it upright."))
            : xml.Name switch
            {
                "box" => DrawnBox.Cornered(label, Number(xml, "xtl"), Number(xml, "ytl"), Number(xml, "xbr"), Number(xml, "ybr")),
                "mask" => DrawnBox.Sized(label, Number(xml, "left"), Number(xml, "top"), Number(xml, "width"), Number(xml, "height")),
                "polygon" => DrawnBox.Around(label, [.. (xml.GetAttribute("points") ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)
                    .Select(point => point.Split(','))
                    .Select(point => (JsonNumbers.Parse(point[0]), JsonNumbers.Parse(point.ElementAtOrDefault(1))))]),
                "ellipse" => DrawnBox.Centred(label, Number(xml, "cx"), Number(xml, "cy"), 2 * Number(xml, "rx"), 2 * Number(xml, "ry")),
                var other => DrawnBox.Not(label, $"is a shape of the kind {other}; draw a rectangle or a polygon."),
            };
    }

    private static double? Number(XmlReader xml, string name) => JsonNumbers.Parse(xml.GetAttribute(name));
}

/// <summary>Reads XML without document types, entities or external resources.</summary>
internal static class Xml
{
    /// <summary>A reader at the root; null if that is another element.</summary>
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
            // not XML, or it has a document type
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

    /// <summary>The text of an element whose start has been read; the reader stays inside it.</summary>
    public static string Text(XmlReader xml, Annotation file, string format) =>
        Read(xml, file, format) && xml.NodeType is XmlNodeType.Text or XmlNodeType.CDATA ? xml.Value.Trim() : "";
}
