using System.Text.Json;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Learning.Imaging;
using Headstart.Reports;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>
/// Stores what a run made as a version of the model, and publishes it: by the setting, else if it is not worse than the published version
/// on the same held-out examples. Both are represented by heads that have not learned from these; examples that the published version has
/// learned from, before they were moved to the test side, are not counted.
/// </summary>
public sealed class VersionWriter(VersionReader reader, IBlobStore blobs, BackboneNews news, ServableVersions versions, Settings settings,
    TimeProvider clock)
{
    /// <summary>
    /// Blobs first: if the process dies after them, nothing refers to them and the next attempt writes the same. Then the version, the
    /// pointer to it and the run's end in one transaction, so a run ends once and a version is never incomplete.
    /// </summary>
    /// <param name="db">Used by this run only.</param>
    /// <param name="run">The run, which ends here.</param>
    /// <param name="made">What it made.</param>
    /// <param name="cancel">Cancels before the version exists.</param>
    /// <returns>The number of the version.</returns>
    /// <exception cref="OperationCanceledException">This worker lost the run; nothing was published.</exception>
    internal async Task<int> PublishAsync(HeadstartDb db, ActiveRun run, MadeVersion made, CancellationToken cancel)
    {
        await run.EnterAsync(RunStage.Publishing, 0.97);
        var model = run.Run.ModelId;
        var comparison = await DecideAsync(db, model, made.Candidate, new StageProgress(run, 0.97, 0.98), cancel);
        var report = made.Report with
        {
            Comparison = comparison,
            Backbones = run.Status.Backbones,
            SecondsPerStage = run.SecondsPerStage(),
            Notices = run.Status.Notices,
            Flaws = await FlawsAsync(db, model, cancel),
        };
        var artifactBlob = await blobs.PutAsync(made.Artifact, cancel);
        var evaluatedBlob = made.Evaluated is null ? null : await blobs.PutAsync(made.Evaluated, cancel);
        var reportBlob = await blobs.PutAsync(JsonSerializer.SerializeToUtf8Bytes(report, Json.Options), cancel);

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Database.ExecuteSqlAsync($"SELECT FROM models WHERE id = {model} FOR UPDATE", cancel);
        var number = 1 + (await db.Versions.Where(v => v.ModelId == model).MaxAsync(v => (int?)v.Number, cancel) ?? 0);
        await run.SucceedAsync(db, number);
        db.Add(new ModelVersion
        {
            ModelId = model,
            Number = number,
            RunId = run.Run.Id,
            Backbone = made.Backbone,
            KnownBackbones = news.Known(),
            TrainableParameters = report.TrainableParameters,
            Accuracy = report.Accuracy,
            AccuracyLow = report.AccuracyInterval?[0],
            AccuracyHigh = report.AccuracyInterval?[1],
            Artifact = artifactBlob,
            Evaluated = evaluatedBlob,
            Report = reportBlob,
            CreatedAt = clock.Now(),
        });
        await db.SaveChangesAsync(cancel);
        await NoLongerTestAsync(db, run.Run, made.Learned, cancel);
        await db.Models.Where(m => m.Id == model && (comparison == null || comparison.Published || m.PublishedVersion == null))
            .ExecuteUpdateAsync(set => set.SetProperty(m => m.PublishedVersion, number), cancel);
        await Announcements.SayAsync(db, Announcement.Versions, cancel);
        await transaction.CommitAsync(cancel);
        versions.Forget(); // if the process dies here, this in-memory cache is gone too
        return number;
    }

    /// <returns>null if no version is published yet.</returns>
    private async Task<ComparisonReport?> DecideAsync(
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
        using var head = (published as ServedDetector)?.Head; // ours alone, while its backbone is the host's
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

    /// <summary>The flaws found in the model's images when they were uploaded.</summary>
    private static async Task<IReadOnlyList<FlawReport>> FlawsAsync(HeadstartDb db, Guid model, CancellationToken cancel)
    {
        var flawed = await db.Examples.Where(i => i.ModelId == model && i.Flaws != ImageFlaws.None).OrderBy(i => i.Id)
            .Select(i => new { i.Id, i.Flaws }).ToListAsync(cancel);
        var most = CommonFlaw * await db.Examples.CountAsync(i => i.ModelId == model, cancel);
        return [.. Enum.GetValues<ImageFlaws>().Where(flaw => flaw != ImageFlaws.None)
            .Select(flaw => (Flaw: flaw, Ids: flawed.FindAll(image => image.Flaws.HasFlag(flaw)).ConvertAll(image => image.Id)))
            .Where(found => found.Ids.Count > 0 && found.Ids.Count <= most)
            .Select(found => new FlawReport(found.Flaw, found.Ids.Count, [.. found.Ids.Take(MostFlawed)]))];
    }

    /// <summary>
    /// Turns test examples that the run had to learn from into training examples, so that later versions are not tested on them either. A
    /// side that a person gave meanwhile stays.
    /// </summary>
    private static async Task NoLongerTestAsync(HeadstartDb db, TrainingRun run, IReadOnlyList<Guid> learned, CancellationToken cancel)
    {
        Guid[] ids = [.. learned];
        if (await db.RunExamples.Where(e => e.RunId == run.Id && e.Split == Split.Test && ids.Contains(e.ExampleId))
            .ExecuteUpdateAsync(set => set.SetProperty(e => e.Split, Split.Train), cancel) > 0)
        {
            await db.Examples.Where(e => e.ModelId == run.ModelId && e.Split == Split.Test && !e.SplitGiven && ids.Contains(e.Id))
                .ExecuteUpdateAsync(set => set.SetProperty(e => e.Split, Split.Train), cancel);
        }
    }
}
