using System.Text.RegularExpressions;
using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>Makes the rows of annotation formats.</summary>
internal static partial class Labelled
{
    /// <summary>Labels of an image that the tool named by a path or a URL.</summary>
    /// <param name="format">What has the labels; for the sentence about an image without one.</param>
    /// <param name="image">As the tool named it.</param>
    /// <param name="labels">Its labels. None means that the tool has none for it: whether it shows nothing or nobody looked is
    /// unknown.</param>
    /// <param name="split">Its side; a word that names none leaves it open, as Vertex AI does with UNASSIGNED.</param>
    /// <param name="url">Where it can be fetched, if the tool says so beside its name.</param>
    public static ManifestRow Row(string format, string image, IEnumerable<string> labels, string? split = null, string? url = null)
    {
        var known = labels.Where(label => !string.IsNullOrWhiteSpace(label)).Select(label => label.Trim()).Distinct().ToList();
        var row = Address().IsMatch(image) ? new NewImage(image, FileName: ImageNames.LastPart(image))
            : url is not null ? new NewImage(url, FileName: image) : new NewImage(File: image);
        row = row with { Categories = known, Split = SplitNames.TryRead(split, out _) ? split : null };
        return known.Count > 0 ? new(row, Advice: Cloud(image))
            : new(row, ManifestRow.NoLabel, $"{format} has no label for this image; label it there, or remove it.");
    }

    /// <summary>An image of which the tool says that it shows none of the categories.</summary>
    public static ManifestRow None(string image) => new(new NewImage(File: image, Categories: []));

    /// <summary>A row that is left out.</summary>
    public static ManifestRow Not(string image, string reason, string detail) => new(new NewImage(File: image), reason, detail);

    /// <summary>Where the file must be fetched from by hand; null unless it lies in a bucket.</summary>
    private static string? Cloud(string image)
    {
        var command = image.StartsWith("gs://", StringComparison.OrdinalIgnoreCase) ? "gcloud storage cp -r gs://bucket/folder ."
            : image.StartsWith("s3://", StringComparison.OrdinalIgnoreCase) ? "aws s3 cp --recursive s3://bucket/folder ." : null;
        return command is null ? null
            : $"The image lies in a bucket that this host cannot read; download the images ({command}), put them and this file into one "
            + "zip archive and send that.";
    }

    [GeneratedRegex("^https?://", RegexOptions.IgnoreCase)]
    private static partial Regex Address();
}
