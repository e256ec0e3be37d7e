using Headstart.Data;
using Headstart.Learning.Evaluation;
using Headstart.Learning.Heads;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>Trains a head on feature vectors, for images and for texts. All of it can be repeated from the feature cache.</summary>
internal sealed class ClassificationRun(ImageRunFeatures images, TextRunFeatures texts, SharedFits fits) : IRunSteps
{
    public bool Suits(Dataset data, TrainingRun run) => data.HasEnoughCategories && !data.Kind.HasBoxes();

    public async Task<MadeVersion> MakeAsync(HeadstartDb db, ActiveRun run, Dataset data, CancellationToken cancel)
    {
        // 2. Choose. Features of images go to the cache as they are computed.
        await run.EnterAsync(RunStage.Choosing, 0);
        IRunFeatures features = data.Kind.IsText() ? texts : images;
        using var chosen = await features.ChooseAsync(db, run, data, new(run, 0, 0.5), cancel);

        // 3. Extract the features that the choice has not computed.
        await run.EnterAsync(RunStage.Extracting, 0.5);
        var read = await features.ReadAsync(db, chosen.Features, [.. data.Train, .. data.Test], new StageProgress(run, 0.5, 0.7), cancel);
        var examples = Examples.Of(data, read, await features.AlikeAsync(db, read, cancel), chosen.Prior);
        run.Notice(examples.Notices(data.Kind.Nouns()));
        var (train, tried) = (examples.Train, chosen.Tried);

        // 4. Train.
        await run.EnterAsync(RunStage.Training, 0.7);
        var progress = new StageProgress(run, 0.7, 0.85);
        var linearOnly = data.Kind.IsText(); // hidden layers do not improve word features and take minutes
        var compared = tried is not null && examples.Duplicates.Count == 0 && tried.Scores.Count == train.Count
            && tried.Validation.Repeats == HeadTraining.Repeats(train.Count)
            && (linearOnly || !HeadTraining.TriesHidden(train)); // the comparison skipped hidden layers
        var hashes = read.Items.ToDictionary(item => item.ExampleId, item => item.Sha256);
        byte[][] learned = [.. examples.TrainIds.Select(id => hashes[id])];
        var validation = compared ? tried!.Validation : await ValidateAsync();
        if (run.Status.Backbones.Count == 0) // the run named its backbone
        {
            progress.Show([new(chosen.Features.Id, validation.Accuracy.Rounded(), validation.StandardError.Rounded(),
                Math.Round(chosen.Features.MsPerExample, 2), true, null, train.Count)]);
        }

        if (validation.Accuracy is null) // the trials did not know the look-alikes
        {
            progress.Show(run.Status.Backbones.ConvertAll(trial => trial with { Accuracy = null, StandardError = null, LogLoss = null }));
        }

        // Idle workers can begin with the learning curve; this one joins in after training its heads.
        await using var offered = train.Support().Min() < ExamplesForCurve || validation.Accuracy is null ? null : await fits.OfferAsync(
            chosen.Features, learned, train, new(validation.Method, Seed, Math.Min(CurveRepeats, validation.Repeats), linearOnly), cancel);
        var temperature = validation.Temperature(train);
        var raw = await Task.Run(() => HeadTraining.Train(train, validation.Method, cancel), cancel);
        // Chosen on images that the heads were not trained on; only multi-label models have thresholds.
        var thresholds = train.Tags is null ? null : validation.Tested.Count == 0 ? [.. train.Categories.Select(_ => 0.5f)]
            : Thresholds.ForF1(validation.Calibrated(temperature, exclusive: false), train.Some(validation.Tested).Tags!);
        var evaluated = raw.At(temperature).With(thresholds);

        // 5. Evaluate.
        await run.EnterAsync(RunStage.Evaluating, 0.85);
        // The served head is also trained on the images that Headstart itself held out. The report describes a head trained on less, so
        // it does not overstate the accuracy.
        var all = examples.All;
        var head = all.Count == train.Count ? raw : await Task.Run(() => HeadTraining.Train(all, validation.Method, cancel), cancel);
        var curve = offered is null ? null : ((CurvePlan)offered.Plan)
            .Conclude(await offered.FinishAsync(new StageProgress(run, 0.85, 0.95), cancel));
        var confirmed = await db.Examples.Where(i => i.ModelId == run.Run.ModelId && i.Confirmed).Select(i => i.Id).ToListAsync(cancel);
        var report = await Task.Run(() => ReportWriter.Write(
            new(data, examples, chosen.Features, validation, evaluated, raw, temperature, curve, confirmed.ToHashSet())
            { Words = chosen.Words }), cancel);

        var parts = await features.KeepAsync(chosen.Features, cancel);
        return new(chosen.Features.Id, new HeadArtifact(parts, head.At(temperature).With(thresholds), NoveltyDetector.Of(all)).Write(),
            new HeadArtifact(parts, evaluated, NoveltyDetector.Of(train)).Write(), examples.TrainIds,
            report with { Choice = chosen.Report }, new ClassifierCandidate(data, examples.Test, examples.TestIds, evaluated, features));

        async Task<CrossValidation> ValidateAsync()
        {
            await using var offer = await fits.OfferAsync(chosen.Features, learned, train,
                new(null, Seed, HeadTraining.Repeats(train.Count), linearOnly), cancel);
            return ((ValidationPlan)offer.Plan).Conclude(await offer.FinishAsync(progress, cancel));
        }
    }
}
