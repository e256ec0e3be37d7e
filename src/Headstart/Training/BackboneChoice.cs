using Headstart.Backbones;
using Headstart.Learning.Heads;
using Backbone = Headstart.Learning.Backbones.Backbone;

namespace Headstart.Training;

/// <summary>
/// Tries every backbone by the cross-validated accuracy of a head on a sample of the training images. That is what will be served, so
/// it is the objective itself and no proxy of it.
/// </summary>
public sealed class BackboneChoice(FeatureCache features, TimeProvider clock)
{
    private const int ProbeImages = 500;

    /// <param name="Probe">How many images the cross-validation saw.</param>
    public sealed record Choice(Backbone Backbone, CrossValidation Validation, int Probe);

    /// <param name="backbones">Cheapest first; the first is always tried, others as long as <paramref name="budget"/> lasts.</param>
    public async Task<Choice> ChooseAsync(
        IReadOnlyList<Backbone> backbones, Dataset data, StageProgress progress, TimeSpan budget, int seed, CancellationToken cancel)
    {
        var started = clock.GetTimestamp();
        var sample = data.Sample(ProbeImages);
        var trials = new List<BackboneTrial>();
        Choice? best = null;
        for (var i = 0; i < backbones.Count && (best is null || budget < TimeSpan.Zero || clock.GetElapsedTime(started) < budget); i++)
        {
            var (backbone, part) = (backbones[i], progress.Part(i, backbones.Count));
            var vectors = await features.GetAsync(backbone, [.. sample.Select(s => s.Sha256)], part.Part(0, 2), cancel);
            var set = data.With(sample, vectors);
            Check(set);
            var validation = await Task.Run(() => HeadTraining.CrossValidate(set, seed, cancel, part.Part(1, 2)), cancel);
            trials.Add(new(backbone.Manifest.Id, validation.Accuracy, validation.StandardError, Math.Round(backbone.MsPerImage, 2), false));
            // Cheapest first, and only a strictly better one replaces it: of two equals the faster serves.
            best = best is null || validation.Accuracy > best.Validation.Accuracy ? new(backbone, validation, set.Labels.Count) : best;
            progress.Show([.. trials.Select(t => t with { Chosen = t.Id == best.Backbone.Manifest.Id })]);
        }

        return best!;
    }

    private static void Check(LabelledFeatures set)
    {
        if (set.Labels.GroupBy(l => l).Count(g => g.Count() >= Dataset.MinImages) < set.Categories.Count)
        {
            throw new RunRefusedException("So many of the images can no longer be read that a category has fewer than two left; upload them again.");
        }
    }
}
