using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Headstart.Uploads.Boxes;
using Headstart.Uploads.Files;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Headstart.Uploads.Formats;

/// <summary>
/// YOLO: next to each image, or in a folder <c>labels</c>, a text with a line per box, which begins with the number of its class; the names
/// of the classes are in <c>data.yaml</c>, <c>classes.txt</c>, <c>obj.names</c> or <c>_darknet.labels</c>.
/// </summary>
internal static partial class YoloLabels
{
    private const string Name = "YOLO";

    /// <summary>Whether a text may contain the names of classes.</summary>
    public static bool HasNames(string file) => file.ToLowerInvariant() is "classes.txt" or "synsets.txt" or "labels.txt" or "_classes.txt"
        or "predefined_classes.txt" || file.EndsWith(".names", StringComparison.OrdinalIgnoreCase)
        || file.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".yml", StringComparison.OrdinalIgnoreCase)
        || file.EndsWith(".labels", StringComparison.OrdinalIgnoreCase);

    /// <summary>The names of the classes in order; null if it has none.</summary>
    public static List<string>? NamesIn(Annotation file)
    {
        var text = Encoding.UTF8.GetString(file.Bytes.Span);
        return Path.GetExtension(file.Name).ToLowerInvariant() is ".yaml" or ".yml" ? Yaml(text)
            : [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
    }

    /// <summary>Whether the text contains only boxes.</summary>
    public static bool AreBoxes(ReadOnlySpan<byte> text)
    {
        foreach (var line in text.Split((byte)'\n'))
        {
            var row = text[line].Trim(" \t\r"u8);
            if (!row.IsEmpty && !Box().IsMatch(Encoding.UTF8.GetString(row)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The labels of an image's boxes. A text without boxes means that nothing is there.</summary>
    public static ManifestRow Row(Annotation file, ClassNames lists)
    {
        var image = Regex.Replace(file.Folder, "(^|/)labels/", "$1images/") + Path.GetFileNameWithoutExtension(file.Name);
        var numbers = Encoding.UTF8.GetString(file.Bytes.Span).Split('\n').Select(line => line.Trim().Split(' ', '\t')[0])
            .Where(number => number.Length > 0).Select(number => int.Parse(number, CultureInfo.InvariantCulture)).Distinct().ToList();
        if (numbers.Count == 0)
        {
            return Labelled.None(image) with { Drawn = Drawing.Nothing };
        }

        if (lists.For(file) is not { } names)
        {
            throw RefusedException.Invalid("invalid-annotations", $"{file.Quoted} has the numbers of YOLO classes, but nothing names them; "
                + "add data.yaml, classes.txt or obj.names to the archive. Nothing was added.");
        }

        var row = Labelled.Row(Name, image, [.. numbers.Select(number => number < names.Count ? names[number] : throw file.Broken(Name,
            $"class {number} has no name; the names are {string.Join(", ", names.Take(10))}"))]);
        return row with
        {
            Drawn = new(DrawingUnit.Parts, [.. Encoding.UTF8.GetString(file.Bytes.Span).Split('\n')
                .Select(line => line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length > 0)
                .Select(words => Drawn(names[int.Parse(words[0], CultureInfo.InvariantCulture)],
                    [.. words.Skip(1).Select(JsonNumbers.Parse)]))]),
        };
    }

    /// <summary>The centre and size of a box, or the corners of a shape, relative to the image.</summary>
    private static DrawnBox Drawn(string name, double?[] numbers) =>
        numbers is [var x, var y, var width, var height] ? DrawnBox.Centred(name, x, y, width, height)
        : numbers.Length >= 6 && numbers.Length % 2 == 0
            ? DrawnBox.Around(name, [.. numbers.Chunk(2).Select(point => (point[0], point[1]))])
        : DrawnBox.Not(name, $"has {numbers.Length} numbers; a box has 4 after its class, and a shape two per corner. "
            + "(Predictions have a fifth, and poses more.)");

    /// <summary>The entry <c>names</c>, a list or numbers with names. Parser events, so that nesting cannot exhaust the stack.</summary>
    private static List<string>? Yaml(string text)
    {
        try
        {
            var events = new Parser(new StringReader(text));
            var (depth, key) = (0, (string?)null);
            while (events.MoveNext())
            {
                if (depth == 1 && key == "names" && events.Current is SequenceStart or MappingStart)
                {
                    return Names(events, events.Current is MappingStart);
                }

                key = depth == 1 && events.Current is Scalar scalar && key is null ? scalar.Value : null;
                depth += events.Current switch { MappingStart or SequenceStart => 1, MappingEnd or SequenceEnd => -1, _ => 0 };
            }

            return null;
        }
        catch (YamlException)
        {
            return null;
        }
    }

    private static List<string>? Names(Parser events, bool numbered)
    {
        var values = new List<string>();
        while (events.MoveNext() && events.Current is Scalar scalar)
        {
            values.Add(scalar.Value);
        }

        if (events.Current is not (SequenceEnd or MappingEnd) || !numbered)
        {
            return events.Current is SequenceEnd ? values : null;
        }

        var pairs = values.Chunk(2).Select(pair => (Number: int.TryParse(pair[0], out var number) ? number : -1, Name: pair[^1]))
            .OrderBy(pair => pair.Number).ToList();
        return pairs.Index().All(pair => pair.Index == pair.Item.Number) ? pairs.ConvertAll(pair => pair.Name) : null;
    }

    [GeneratedRegex(@"^\d{1,6}([ \t]+[0-9.eE+-]+){4,}$")]
    private static partial Regex Box();
}
