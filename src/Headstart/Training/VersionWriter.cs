using System.Text.Json;
using Headstart.Backbones;
using Headstart.Blobs;
using Headstart.Data;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>Stores a trained head as a version of the model, and publishes it if <see cref="PublishDecision"/> said so.</summary>
public sealed class VersionWriter(IDbContextFactory<HeadstartDb> databases, IBlobStore blobs, BackboneNews news,
    ServableVersions versions, TimeProvider clock)
{
    /// <summary>
    /// Blobs first: if the process dies after them, nothing refers to them and the next attempt writes the same. Then the version, the
    /// pointer to it and the run's end in one transaction, so a run ends once and a version is never incomplete.
    /// </summary>
    /// <exception cref="OperationCanceledException">This worker lost the run; nothing was published.</exception>
    /// <param name="run">The run, which ends here.</param>
    /// <param name="made">Its report also says whether to publish.</param>
    /// <param name="cancel">Cancels before the version exists.</param>
    internal async Task<int> PublishAsync(ActiveRun run, MadeVersion made, CancellationToken cancel)
    {
        var report = made.Report;
        var artifactBlob = await blobs.PutAsync(made.Artifact, cancel);
        var evaluatedBlob = made.Evaluated is null ? null : await blobs.PutAsync(made.Evaluated, cancel);
        var reportBlob = await blobs.PutAsync(JsonSerializer.SerializeToUtf8Bytes(report, Json.Options), cancel);

        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var model = run.Run.ModelId;
        var locked = await db.Models.FromSql($"SELECT * FROM models WHERE id = {model} FOR UPDATE").Select(m => m.Id).ToListAsync(cancel);
        var number = 1 + (await db.Versions.Where(v => v.ModelId == model).MaxAsync(v => (int?)v.Number, cancel) ?? 0);
        if (locked.Count == 0 || !await run.SucceedAsync(db, number))
        {
            throw new OperationCanceledException("Another worker has this run now.");
        }

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
        var publish = report.Comparison?.Published ?? true;
        await db.Models.Where(m => m.Id == model && (publish || m.PublishedVersion == null))
            .ExecuteUpdateAsync(set => set.SetProperty(m => m.PublishedVersion, number), cancel);
        await Announcements.SayAsync(db, Announcement.Versions, cancel);
        await transaction.CommitAsync(cancel);
        versions.Forget(); // if the process dies here, this in-memory cache is gone too
        return number;
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
