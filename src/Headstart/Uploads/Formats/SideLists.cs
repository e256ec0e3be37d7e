using System.Text;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>
/// Texts named <c>train.txt</c> or <c>test.txt</c> that list images, as in <c>ImageSets</c> of Pascal VOC: they give splits. With a label
/// after each image, or its number if <c>synsets.txt</c> or <c>classes.txt</c> names the classes, they also give labels, as in CVAT's
/// ImageNet format.
/// </summary>
internal static class SideLists
{
    /// <summary>null if the text is not such a list.</summary>
    public static List<ManifestRow>? Read(Annotation file, ImageNames images, ClassNames lists)
    {
        if (!SplitNames.IsName(Path.GetFileNameWithoutExtension(file.Name)))
        {
            return null;
        }

        var side = Path.GetFileNameWithoutExtension(file.Name);
        // Pascal VOC's lists mean its images, not its masks of the same names.
        var folder = file.Folder.Split('/') is [.., "ImageSets", _, _] or [.., "ImageSets", _] ? "JPEGImages/" : "";
        var rows = new List<ManifestRow>();
        foreach (var line in Encoding.UTF8.GetString(file.Bytes.Span).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0))
        {
            var space = line.LastIndexOf(' ');
            if (Known(line))
            {
                rows.Add(new(new NewImage(File: folder + line, Split: side)));
            }
            else if (space > 0 && Known(line[..space]) && LabelOf(line[(space + 1)..]) is { } label)
            {
                rows.Add(Labelled.Row("The list", line[..space], [label], side));
            }
            else
            {
                return null;
            }
        }

        return rows;

        bool Known(string image) => images.Has(image) || images.HasStem(ImageNames.LastPart(image));

        string? LabelOf(string text) => !int.TryParse(text, out var number) ? text
            : lists.For(file) is { } names && number >= 0 && number < names.Count ? names[number] : null;
    }
}
