using Headstart.Backbones;
using Headstart.Data;
using Headstart.Training;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Models;

/// <summary>Models as the API shows them.</summary>
internal sealed class ModelViews(HeadstartDb db, ModelUpdates updates, ImageTextPairs pairs)
{
    /// <summary>The models, in the order of the query.</summary>
    public async Task<List<ModelResponse>> ReadAsync(IQueryable<Model> models, CancellationToken cancel)
    {
        var words = pairs.All is [var pair, ..] ? pair.Recipe.Id : null;
        var learnable = db.LearnableLabels;
        var rows = await models.AsNoTracking().Select(m => new
        {
            Model = m,
            Learnable = m.Categories.Count(c => learnable.Any(l => l.CategoryId == c.Id)),
            // Counted only for models with boxes: in others every learnable category has an example.
            WithBoxes = m.Kind == ModelKind.ObjectDetection
                ? learnable.Where(l => m.Categories.Any(c => c.Id == l.CategoryId)).Select(l => l.ExampleId).Distinct().Count() : 0,
            Categories = m.Categories.OrderBy(c => c.Position).ThenBy(c => c.Name)
                .Select(c => new CategoryResponse(c.Name, db.ExampleLabels.Count(l => l.CategoryId == c.Id), c.Description)).ToList(),
            // Counted only for text models: only these have examples without a category.
            Unlabelled = m.Kind == ModelKind.TextClassification ? db.Examples.Count(i => i.ModelId == m.Id && !i.Labels.Any()) : (int?)null,
            Training = db.TrainingRuns.Any(r => r.ModelId == m.Id && (r.State == JobState.Queued || r.State == JobState.Running)),
            Published = db.Versions.Where(v => v.ModelId == m.Id && v.Number == m.PublishedVersion)
                .Select(v => new PublishedResponse(v.Number, v.Accuracy,
                    v.Accuracy == null ? null : new[] { v.AccuracyLow!.Value, v.AccuracyHigh!.Value }, v.TrainableParameters == 0))
                .FirstOrDefault(),
            LastRun = db.TrainingRuns.Where(r => r.ModelId == m.Id).OrderByDescending(r => r.Id)
                .Select(r => new LastRunResponse(r.Id, r.State, r.CreatedAt, r.FinishedAt)).FirstOrDefault(),
        }).AsSplitQuery().ToListAsync(cancel);
        var ids = rows.ConvertAll(r => r.Model.Id);
        var found = await updates.FindAsync(db, db.Models.Where(m => ids.Contains(m.Id)), cancel);
        return rows.ConvertAll(r => new ModelResponse(
            r.Model.Id, r.Model.Name, r.Model.Kind, StateOf(r.Model, r.Categories, r.Model.Kind.HasBoxes()
                ? r.WithBoxes >= r.Model.Kind.MinExamples()
                : r.Learnable >= MinCategories || (words is not null && r.Model.Kind.ReadsWords() && r.Categories.Count >= MinCategories),
                r.Unlabelled > 0, r.Training), r.Categories, r.Model.PublishedVersion, r.Model.CreatedAt,
            found.GetValueOrDefault(r.Model.Id).Update, r.Published, r.LastRun, r.Unlabelled, Similar(r.Categories),
            r.Model.Kind.ReadsWords() ? words : null, SimilarNames.Notices(r.Model.Id, r.Categories.ConvertAll(c => c.Name), _ => true)));
    }

    private static List<List<string>>? Similar(List<CategoryResponse> categories) =>
        SimilarNames.Find(categories.ConvertAll(c => c.Name)) is { Count: > 0 } groups ? groups : null;

    /// <summary>Adds a notice if the account has another model with a similar name.</summary>
    public async Task<ModelResponse> WithNamesakeAsync(Guid account, ModelResponse model, CancellationToken cancel)
    {
        var others = await db.Models.Where(m => m.AccountId == account && m.Id != model.Id).Select(m => m.Name).ToListAsync(cancel);
        return others.Find(name => SimilarNames.Are(name, model.Name)) is not { } similar ? model : model with
        {
            Notices =
            [
                .. model.Notices ?? [],
                $"You also have a model named \"{similar}\": {SimilarNames.Difference(model.Name, similar)}.",
            ],
        };
    }

    private static ModelState StateOf(Model model, List<CategoryResponse> categories, bool enough, bool unlabelled, bool training) =>
        training ? ModelState.Training
        : model.PublishedVersion is not null ? ModelState.Trained
        : enough ? ModelState.Ready
        : unlabelled || (model.Kind.HasBoxes() && model.Examples > 0) || categories.Any(c => c.ImageCount > 0) ? ModelState.Collecting
        : ModelState.Empty;
}
