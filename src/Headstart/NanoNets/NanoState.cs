using System.Globalization;
using System.Security.Claims;
using Headstart.Access;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.NanoNets;

/// <summary>
/// A model as clients of NanoNets see it. Its state is a number: -1 training failed, 0 no images, 1 not enough labelled images, 2 training
/// can start, 3 queued, 4 training, 5 ready to predict. A model that is retrained goes back to 3 or 4, so that clients waiting for 5 wait
/// for the new version; the old one predicts until then.
/// </summary>
internal static class NanoState
{
    /// <param name="models">Models of the caller.</param>
    /// <param name="db">Contains the models.</param>
    public static async Task<List<NanoModel>> ReadAsync(this IQueryable<Model> models, HeadstartDb db, CancellationToken cancel)
    {
        var learnable = db.LearnableLabels;
        var rows = await models.AsNoTracking().OrderByDescending(m => m.Id).Select(m => new
        {
            Model = m,
            Learnable = m.Categories.Count(c => learnable.Any(l => l.CategoryId == c.Id)),
            Categories = m.Categories.OrderBy(c => c.Position).ThenBy(c => c.Name)
            .Select(c => new { c.Name, Count = db.ExampleLabels.Count(l => l.CategoryId == c.Id) }).ToList(),
            HasImages = db.Examples.Any(i => i.ModelId == m.Id),
            Active = db.TrainingRuns.Where(r => r.ModelId == m.Id && (r.State == JobState.Queued || r.State == JobState.Running))
                .OrderBy(r => r.Id).Select(r => new { r.State, r.Progress }).FirstOrDefault(),
            Last = db.TrainingRuns.Where(r => r.ModelId == m.Id).OrderByDescending(r => r.Id).Select(r => new { r.State, r.Error })
                .FirstOrDefault(),
        }).AsSplitQuery().ToListAsync(cancel);
        return rows.ConvertAll(row =>
        {
            var error = row.Last is { State: JobState.Failed, Error: var why } ? why ?? "it failed" : null;
            var kind = row.Model.Kind;
            var enough = row.Learnable >= kind.MinCategories();
            var (state, status) = Of(row.Model.PublishedVersion is not null, row.HasImages, enough, row.Active?.State, row.Active?.Progress
                ?? 0, error, kind);
            return new NanoModel(row.Model.Id.ToString(), TypeOf(kind), state, status,
                row.Categories.ConvertAll(c => new NanoCategory(c.Name, c.Count)));
        });
    }

    /// <summary>One existing model of the caller.</summary>
    public static async Task<NanoModel> ReadAsync(HeadstartDb db, ClaimsPrincipal caller, Guid id, CancellationToken cancel) =>
        (await db.ModelsOf(caller).Where(m => m.Id == id).ReadAsync(db, cancel)).Single();

    public static string TypeOf(ModelKind kind) => kind.HasBoxes() ? "localization"
        : kind.TakesSeveral() ? "multilabelclassification" : "classification";

    internal static (int State, string Status) Of(bool published, bool images, bool enough, JobState? active, double progress,
        string? error, ModelKind kind = ModelKind.ImageClassification) => active switch
        {
            JobState.Running => (4, string.Create(CultureInfo.InvariantCulture, $"Model currently training, {progress:0%}")),
            JobState.Queued => (3, "Model in training queue"),
            _ when published => (5, error is null ? "Model hosted. Can be used for prediction"
            : $"Model hosted. Can be used for prediction; training it again failed: {error}"),
            _ when error is not null => (-1, $"Error in model training: {error}"),
            _ when enough => (2, "Training data annotated. Need to start training"),
            _ when images => (1, kind.HasBoxes() ? "Training data uploaded. Images need boxes"
                : $"Training data uploaded. At least {MinCategories} categories need an image or more"),
            _ => (0, "Model created. No training data uploaded yet"),
        };
}
