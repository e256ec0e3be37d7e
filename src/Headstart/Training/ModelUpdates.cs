using Headstart.Backbones;
using Headstart.Data;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Training;

/// <summary>Why training a model again might be worth it.</summary>
/// <param name="Sentence">For people.</param>
/// <param name="Backbones">Those that came since the published version was made.</param>
public sealed record ModelUpdate(string Sentence, IReadOnlyList<string> Backbones);

/// <summary>Finds the models that might gain from backbones that have come since they were trained.</summary>
public sealed class ModelUpdates(BackboneNews news)
{
    /// <summary>The update of each model that has one, and the latency budget of its published version, which a new run should keep to. A version whose backbone somebody named has none: that was a decision.</summary>
    public async Task<Dictionary<Guid, (ModelUpdate Update, double? MaxLatencyMs)>> FindAsync(HeadstartDb db, IQueryable<Model> models, CancellationToken cancel)
    {
        // Texts are read by what a run learns from them, so no backbone of images is news to them.
        var versions = await models.Where(m => m.Kind != ModelKind.TextClassification)
            .Join(db.Versions, m => new { ModelId = m.Id, Number = m.PublishedVersion }, v => new { v.ModelId, Number = (int?)v.Number }, (_, v) => v)
            .Join(db.TrainingRuns.Where(r => r.Backbone == null), v => v.RunId, r => r.Id, (v, r) => new { v.ModelId, v.Backbone, v.KnownBackbones, r.MaxLatencyMs })
            .AsNoTracking().ToListAsync(cancel);
        var updates = new Dictionary<Guid, (ModelUpdate, double?)>();
        foreach (var version in versions)
        {
            var arrived = news.Since(version.KnownBackbones, version.Backbone, version.MaxLatencyMs);
            if (arrived.Count > 0)
            {
                List<string> ids = arrived.ConvertAll(m => m.Id);
                updates[version.ModelId] = (new($"Training again might help: {string.Join(", ", ids)} came since the published version was made, which reads {version.Backbone}.", ids), version.MaxLatencyMs);
            }
        }

        return updates;
    }
}
