using Headstart.Backbones;
using Headstart.Data;
using Headstart.Learning.Heads;
using Headstart.Learning.Words;
using Headstart.Reports;
using Headstart.Versions;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>
/// Makes a version of a model that has nothing to learn from yet, if this host has an image-text pair: the words of its categories are the
/// classifier. Its report and all lists of versions say that it has seen no image.
/// </summary>
internal sealed class WordsRun(ImageTextPairs pairs, ImageRunFeatures images) : IRunSteps
{
    public bool Suits(Dataset data, TrainingRun run) => !data.HasEnoughCategories && data.Kind.ReadsWords()
        && data.Categories.Count + data.LeftOut.Count >= MinCategories
        && pairs.Find(run.Backbone, run.MaxLatencyMs) is not null;

    public async Task<MadeVersion> MakeAsync(HeadstartDb db, ActiveRun run, Dataset data, CancellationToken cancel)
    {
        await run.EnterAsync(RunStage.Choosing, 0);
        var pair = pairs.Find(run.Run.Backbone, run.Run.MaxLatencyMs)
            ?? throw RefusedException.Invalid("run-refused",
                "The image-text pair was removed meanwhile; add images, and start another run.");
        var words = await WordsOfAsync(db, run.Run.ModelId, [.. data.Categories.Concat(data.LeftOut).Order(StringComparer.Ordinal)],
            [pair], cancel);
        var features = new ImageFeatures(pair.Recipe);

        await run.EnterAsync(RunStage.Training, 0.5);
        var (head, known) = await Task.Run(() => words.ZeroShot(pair), cancel);
        run.Status = run.Status with
        {
            Backbones = [new(features.Id, null, null, Math.Round(features.MsPerExample, 2), true, null, 0)],
        };
        var artifact = new HeadArtifact(await images.KeepAsync(features, cancel), head, known).Write();
        return new(features.Id, artifact, artifact, [], Report(words, data.Kind, pair),
            new ClassifierCandidate(data, new([], [], words.Categories), [], head, images));
    }

    /// <summary>The current words of the categories: their descriptions, or else their names.</summary>
    /// <param name="db">The database with the descriptions.</param>
    /// <param name="model">Id of the model.</param>
    /// <param name="categories">Names of the categories.</param>
    /// <param name="pairs">Networks that read the words; nothing is looked up if there are none.</param>
    /// <param name="cancel">Cancels the query.</param>
    internal static async Task<CategoryWords> WordsOfAsync(HeadstartDb db, Guid model, IReadOnlyList<string> categories,
        IReadOnlyList<ImageTextPair> pairs, CancellationToken cancel)
    {
        if (pairs.Count == 0)
        {
            return CategoryWords.None;
        }

        var descriptions = await db.Categories.Where(c => c.ModelId == model && c.Description != null)
            .ToDictionaryAsync(c => c.Name, c => c.Description, cancel);
        return new(pairs, categories, [.. categories.Select(name => CategoryWords.Prompt(name, descriptions.GetValueOrDefault(name)))]);
    }

    private static Report Report(CategoryWords words, ModelKind kind, ImageTextPair pair) => new()
    {
        Sentence = "Made from words alone: it has learned from no image, its accuracy is unknown, and its probabilities are not "
            + "calibrated. Try it, describe categories that it confuses in other words, and add images: two per category tell more.",
        Accuracy = null,
        AccuracyInterval = null,
        AccuracyFrom = null,
        CrossValidation = new(null, null, null, 0, 0, 0),
        Categories = words.Categories,
        Kind = kind,
        Classes = [],
        Confusion = [],
        Backbones = [],
        TrainableParameters = 0,
        Words = new(pair.Texts.Id,
            [.. words.Categories.Zip(words.Prompts, (category, prompt) => new CategoryPrompt(category, prompt, null))]),
    };
}
