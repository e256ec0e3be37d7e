using System.Text;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>
/// Texts called <c>train.txt</c> or <c>test.txt</c> that list images, as in <c>ImageSets</c> of Pascal VOC: they give sides. With a label
/// behind each image, or its number where <c>synsets.txt</c> or <c>classes.txt</c> names the classes, they also give labels: CVAT's
/// ImageNet.
/// </summary>
internal static class SideLists
{
    /// <summary>Null if the text is no such list.</summary>
    public static List<ManifestRow>? Read(Annotation file, ImageNames images, IReadOnlyList<string>? names)
    {
        if (!SplitNames.IsName(Path.GetFileNameWithoutExtension(file.Name)))
        {
            return null;
        }

        var side = Path.GetFileNameWithoutExtension(file.Name);
        // The lists of Pascal VOC are about its images, and not about its masks, which are called the same.
        var folder = file.Folder.Split('/') is [.., "ImageSets", _, _] or [.., "ImageSets", _] ? "JPEGImages/" : "";
        var rows = new List<ManifestRow>();
        foreach (var line in Encoding.UTF8.GetString(file.Bytes.Span).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0))
        {
            var space = line.LastIndexOf(' ');
            if (Known(line))
            {
                rows.Add(new(new NewImage(File: folder + line, Split: side)));
            }
            else if (space > 0 && Known(line[..space]) && LabelOf(line[(space + 1)..], names) is { } label)
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
    }

    private static string? LabelOf(string text, IReadOnlyList<string>? names) => !int.TryParse(text, out var number) ? text
        : names is not null && number >= 0 && number < names.Count ? names[number] : null;
}
