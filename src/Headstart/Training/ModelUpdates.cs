using Headstart.Backbones;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>Why retraining a model might improve it.</summary>
/// <param name="Sentence">The reason as a sentence.</param>
/// <param name="Backbones">Ids of the backbones added since the published version was trained.</param>
public sealed record ModelUpdate(string Sentence, IReadOnlyList<string> Backbones);

/// <summary>Finds the models that might improve with backbones added since they were trained.</summary>
public sealed class ModelUpdates(BackboneNews news)
{
    /// <summary>
    /// The available update of each model, and the latency budget of its published version, which a new run should keep. A version whose
    /// backbone a user named has no update, because that was a deliberate choice.
    /// </summary>
    public async Task<Dictionary<Guid, (ModelUpdate Update, double? MaxLatencyMs)>> FindAsync(HeadstartDb db, IQueryable<Model> models,
        CancellationToken cancel)
    {
        // Image backbones do not matter to text models.
        var versions = await models.Where(m => m.Kind != ModelKind.TextClassification)
            .Join(db.Versions, m => new { ModelId = m.Id, Number = m.PublishedVersion }, v => new { v.ModelId, Number = (int?)v.Number },
                (_, v) => v)
            .Join(db.TrainingRuns.Where(r => r.Backbone == null), v => v.RunId, r => r.Id, (v, r) =>
                new { v.ModelId, v.Backbone, v.KnownBackbones, r.MaxLatencyMs })
            .AsNoTracking().ToListAsync(cancel);
        var updates = new Dictionary<Guid, (ModelUpdate, double?)>();
        foreach (var version in versions)
        {
            var arrived = news.Since(version.KnownBackbones, version.Backbone, version.MaxLatencyMs);
            if (arrived.Count > 0)
            {
                List<string> ids = arrived.ConvertAll(m => m.Id);
                updates[version.ModelId] = (new($"Retraining might improve this model: {string.Join(", ", ids)} became available after "
                    + $"the published version, which uses {version.Backbone}.", ids), version.MaxLatencyMs);
            }
        }

        return updates;
    }
}
