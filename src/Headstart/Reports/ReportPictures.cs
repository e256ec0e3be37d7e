using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Explaining;
using Headstart.Learning.Imaging;
using Headstart.Learning.Texts;
using Headstart.Predictions;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Reports;

/// <summary>An example of the model as shown on the page.</summary>
/// <param name="FileName">Its file name as uploaded.</param>
/// <param name="Category">Its current category or categories; a correction may have changed them since the report.</param>
/// <param name="Confirmed">Whether a user has confirmed the category.</param>
/// <param name="Thumbnail">A data URI; null if the bytes cannot be read or no picture is shown.</param>
/// <param name="Heat">The thumbnail overlaid with the heat map of the predicted category; null if there is none.</param>
/// <param name="Text">The text, in a text model.</param>
/// <param name="Words">The effect of its words on the predicted category; null if not computed.</param>
/// <param name="Width">Width of the upright image in pixels.</param>
/// <param name="Height">Height of the upright image in pixels.</param>
internal sealed record Picture(
    string FileName, string Category, bool Confirmed, string? Thumbnail, string? Heat, string? Text = null,
    IReadOnlyList<WordWeight>? Words = null, int Width = 0, int Height = 0);

/// <summary>The pictures of a report's page, without images deleted since the report.</summary>
internal sealed class ReportPictures(IBlobStore blobs, ServableVersions versions, Cores cores)
{
    public const int MostSuspects = 12;
    public const int MostGroups = 6;
    public const int MostOfGroup = 5;

    private const int ThumbnailSide = 160;
    private const int HeatSide = 224;
    private const int BoxesSide = 448;

    /// <summary>Each picture queues like a prediction.</summary>
    /// <returns>The pictures by image id; null if too many predictions are waiting.</returns>
    public async Task<IReadOnlyDictionary<Guid,
        Picture>?> DrawAsync(HeadstartDb db, Guid account, ModelVersion version, Report report, CancellationToken cancel)
    {
        var hardest = report.Hardest.GroupBy(image => image.ImageId).ToDictionary(same => same.Key, same => same.First().Predicted);
        HashSet<Guid> boxed = [.. (report.Detection?.Hardest ?? []).Select(image => image.ImageId),
            .. (report.Detection?.Suspects ?? []).Take(MostSuspects).Select(suspect => suspect.ImageId)];
        HashSet<Guid> shown = [.. boxed, .. report.Suspects.Take(MostSuspects).Select(suspect => suspect.ImageId), .. hardest.Keys,
            .. report.Flaws.SelectMany(flaw => flaw.ImageIds.Take(MostOfGroup)),
            .. report.Duplicates.Take(MostGroups).SelectMany(group => group.Take(MostOfGroup))];
        Guid[] named = [.. shown, .. report.Suspects.Select(suspect => suspect.ImageId), .. report.Leaks, .. report.UnreadableImages];
        var images = await db.Examples.Where(i => i.ModelId == version.ModelId && named.Contains(i.Id))
            .Select(i => new
            {
                i.Id,
                i.FileName,
                i.Text,
                i.Sha256,
                i.Confirmed,
                i.Width,
                i.Height,
                Categories = db.Categories.Where(c => i.Labels.Any(l => l.CategoryId == c.Id)).Select(c => c.Name).ToList()
            })
            .ToListAsync(cancel);
        var served = hardest.Count == 0 ? null : await ServedAsync(version, cancel);
        var pictures = new Dictionary<Guid, Picture>();
        foreach (var image in images)
        {
            var categories = Report.NamesOf(image.Categories.Order(StringComparer.Ordinal));
            if (image.Text is { } text)
            {
                var words = served is null || !hardest.TryGetValue(image.Id, out var taken) ? []
                    : await cores.RunAsync(account, sizeof(char) * text.Length, () => Words(text, served, taken), cancel);
                if (words is null)
                {
                    return null;
                }

                pictures[image.Id] = new(image.FileName, categories, image.Confirmed, null, null, text, words);
                continue;
            }

            var bytes = shown.Contains(image.Id) ? await blobs.GetAsync(image.Sha256, cancel) : null; // one at a time: they may be large
            var predicted = hardest.GetValueOrDefault(image.Id);
            if ((bytes is null ? Drawing.None : await cores.RunAsync(account, bytes.Length, () =>
                Draw(bytes, boxed.Contains(image.Id) ? BoxesSide : ThumbnailSide, predicted is null ? null : served, predicted), cancel))
                is not { } drawing)
            {
                return null;
            }

            pictures[image.Id] = new(image.FileName, categories, image.Confirmed, drawing.Thumbnail, drawing.Heat,
                Width: image.Width, Height: image.Height);
        }

        return pictures;
    }

    /// <returns>null if the version cannot predict on this host; its report is still readable.</returns>
    private async Task<ServedClassifier?> ServedAsync(ModelVersion version, CancellationToken cancel)
    {
        try
        {
            return await versions.LoadAsync(version.ModelId, version.Number, cancel) as ServedClassifier;
        }
        catch (RefusedException)
        {
            return null;
        }
    }

    private static Drawing Draw(byte[] image, int side, ServedClassifier? served, string? predicted)
    {
        try
        {
            var heat = served is null ? null : Heat(image, served, predicted);
            return new(Uri(ImageReader.Thumbnail(image, side)),
                heat is null ? null : Uri(ImageReader.Thumbnail(heat.Over(image), HeatSide)));
        }
        catch (ImageRefusedException)
        {
            return Drawing.None;
        }
    }

    /// <summary>The heat map of the predicted category; with several labels or none, that of the most probable one.</summary>
    private static HeatMap? Heat(byte[] image, ServedClassifier served, string? predicted)
    {
        var label = served.Head.Labels.ToList().IndexOf(predicted!);
        var features = label < 0 ? served.Recipe.Extract(image) : null;
        return HeatMap.Of(image, served.Recipe, served.Head, label < 0 ? served.Head.Best(features) : label, features);
    }

    private static IReadOnlyList<WordWeight> Words(string text, ServedClassifier served, string predicted) =>
        served.Head.Labels.ToList().IndexOf(predicted) is var label && label < 0 ? []
        : WordExplanation.Of(served, text, label, CancellationToken.None);

    private static string Uri(byte[] jpeg) => "data:image/jpeg;base64," + Convert.ToBase64String(jpeg);

    private sealed record Drawing(string? Thumbnail, string? Heat)
    {
        public static Drawing None { get; } = new(null, null);
    }
}
