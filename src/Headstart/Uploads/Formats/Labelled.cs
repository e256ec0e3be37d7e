using System.Text.RegularExpressions;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>Creates the rows of annotation formats.</summary>
internal static partial class Labelled
{
    /// <summary>An image that a tool named by path or URL, with its labels.</summary>
    /// <param name="format">The file with the labels, for the sentence about an image without one.</param>
    /// <param name="image">The tool's name of the image.</param>
    /// <param name="labels">Its labels. Empty if the tool has none: then it is unknown whether nothing is there or nobody
    /// looked.</param>
    /// <param name="split">Its split; other words leave it open, such as Vertex AI's UNASSIGNED.</param>
    /// <param name="url">URL of the file, if the tool gives one besides the name.</param>
    public static ManifestRow Row(string format, string image, IEnumerable<string> labels, string? split = null, string? url = null)
    {
        var known = labels.Where(label => !string.IsNullOrWhiteSpace(label)).Select(label => label.Trim()).Distinct().ToList();
        var row = Address().IsMatch(image) ? new NewImage(image, FileName: ImageNames.LastPart(image))
            : url is not null ? new NewImage(url, FileName: image) : new NewImage(File: image);
        row = row with { Categories = known, Split = SplitNames.TryRead(split, out _) ? split : null };
        return known.Count > 0 ? new(row, Advice: Cloud(image))
            : new(row, ManifestRow.NoLabel, $"{format} has no label for this image; label it there, or remove it.");
    }

    /// <summary>An image that shows none of the categories, according to the tool.</summary>
    public static ManifestRow None(string image, string? split = null) =>
        new(new NewImage(File: image, Categories: [], Split: SplitNames.TryRead(split, out _) ? split : null));

    /// <summary>A row that is left out.</summary>
    public static ManifestRow Not(string image, string reason, string detail) => new(new NewImage(File: image), reason, detail);

    /// <summary>Where the user must download the file; null unless it is in a bucket.</summary>
    private static string? Cloud(string image)
    {
        var command = image.StartsWith("gs://", StringComparison.OrdinalIgnoreCase) ? "gcloud storage cp -r gs://bucket/folder ."
            : image.StartsWith("s3://", StringComparison.OrdinalIgnoreCase) ? "aws s3 cp --recursive s3://bucket/folder ." : null;
        return command is null ? null
            : $"The image is in a bucket that this host cannot read; download the images ({command}), put them and this file into one "
            + "zip archive and send that.";
    }

    [GeneratedRegex("^https?://", RegexOptions.IgnoreCase)]
    private static partial Regex Address();
}
