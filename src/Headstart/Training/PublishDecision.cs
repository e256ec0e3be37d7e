using Headstart.Blobs;
using Headstart.Data;
using Headstart.Reports;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>
/// Decides whether a new version is published: by the setting, else by comparing it with the published one on the same held-out examples.
/// Both are represented by heads that have not learned from these; examples that the published version has learned from, before they were
/// moved to the test side, are not counted.
/// </summary>
public sealed class PublishDecision(VersionReader reader, IBlobStore blobs, Settings settings)
{
    /// <returns>null if no version is published yet.</returns>
    public async Task<ComparisonReport?> DecideAsync(
        HeadstartDb db, Guid model, Candidate candidate, IProgress<double> progress, CancellationToken cancel)
    {
        var published = await db.Models.Where(m => m.Id == model && m.PublishedVersion != null)
            .Join(db.Versions, m => new { Id = m.Id, Number = m.PublishedVersion!.Value }, v => new { Id = v.ModelId, v.Number }, (_, v) =>
                v).SingleOrDefaultAsync(cancel);
        if (published is null)
        {
            return null;
        }

        var learned = await db.RunExamples.Where(e => e.RunId == published.RunId && e.Split == Split.Train).Select(e => e.Sha256)
            .ToListAsync(cancel);
        candidate = candidate.Without([.. learned.Select(Convert.ToHexString)]);
        return settings.Training.Publish == PublishRule.Never
                ? new(published.Number, 0, null, null, false, $"Not published: version {published.Number} stays published, because "
                    + "Headstart:Training:Publish is never.")
            : settings.Training.Publish == PublishRule.Always
                ? new(published.Number, 0, null, null, true, "Published, because Headstart:Training:Publish is always.")
            : candidate.TestIds.Count < EnoughHeldOut
                ? new(published.Number, candidate.TestIds.Count, null, null, true, "Published without comparison: "
                    + $"{candidate.TestIds.Count} held-out {candidate.Data.Kind.Nouns()} are too few to compare it with version "
                    + $"{published.Number}.")
            : await OpenAsync(candidate.Data.Kind, published, cancel) is not { } served
                ? new(published.Number, 0, null, null, true, $"Published without comparison: version {published.Number} can no longer be "
                    + "used on this host.")
            : await CompareAsync(db, model, served, candidate, progress, cancel);
    }

    private static async Task<ComparisonReport> CompareAsync(
        HeadstartDb db, Guid model, ServedVersion published, Candidate candidate, IProgress<double> progress, CancellationToken cancel)
    {
        var (number, what) = (published.Number, candidate.Data.Kind.Nouns());
        var since = await db.Versions.Where(v => v.ModelId == model && v.Number == number)
            .Join(db.TrainingRuns, v => v.RunId, r => r.Id, (_, r) => r.CreatedAt).SingleAsync(cancel);
        var renamed = await db.NamesSinceAsync(model, since, cancel);
        var (difference, low, high) = await candidate.CompareAsync(db, published, renamed, progress, cancel);
        var (images, worse) = (candidate.TestIds.Count, high < 0);
        return new(number, images, difference, [low, high], !worse, worse
            ? $"Not published: on {images} held-out {what} it is worse than version {number} by {Advice.Percent(-difference)}"
                + $"{candidate.Of} ({Advice.Percent(-high)} to {Advice.Percent(-low)}). You can still publish it yourself."
            : $"Published: on {images} held-out {what} it is not worse than version {number} ({100 * difference:+0.#;-0.#;0} "
                + $"percentage points{candidate.Of}, {100 * low:+0.#;-0.#;0} to {100 * high:+0.#;-0.#;0}).");
    }

    private async Task<ServedVersion?> OpenAsync(ModelKind kind, ModelVersion version, CancellationToken cancel)
    {
        try
        {
            return version.Evaluated is { } blob && await blobs.GetAsync(blob, cancel) is { } bytes
                ? await reader.ReadAsync(kind, version.Number, bytes, cancel) : null;
        }
        catch (RefusedException)
        {
            return null;
        }
    }
}
