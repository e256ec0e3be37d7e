using Headstart.Backbones;
using Headstart.Data;
using Headstart.Examples;
using Headstart.Learning.Backbones;
using Headstart.Learning.Heads;
using Headstart.Versions;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>Images: what the backbones of this host see in them, by way of the feature cache.</summary>
public sealed class ImageRunFeatures(
    LoadedBackbones loaded, FeatureCache features, WantedBackbones wanted, EarlierChoice earlier, Fingerprints prints, TimeProvider clock) : IRunFeatures
{
    /// <summary>Fetches what is wanted and not here, and chooses; what an earlier run chose stands if nothing could have changed that.</summary>
    public async Task<ChosenFeatures> ChooseAsync(HeadstartDb db, ActiveRun run, Dataset data, StageProgress progress, TimeSpan budget, CancellationToken cancel)
    {
        var maxMs = run.Run.MaxLatencyMs ?? double.PositiveInfinity;
        if (await wanted.BringAsync(db, run, budget, cancel) is { } named)
        {
            return new(new ImageFeatures(Named(named, maxMs)), null, null);
        }

        var admissible = Admissible(run.Run);
        if (await earlier.FindAsync(db, run.Run, EarlierChoice.Names(admissible), data, cancel) is { } standing
            && FeatureRecipe.Parse(standing.Backbone, admissible) is { } recipe)
        {
            progress.Show([.. standing.Trials]);
            return new(new ImageFeatures(recipe), standing.Report, null);
        }

        var choice = await new BackboneChoice(features, clock).ChooseAsync(admissible, maxMs, data, progress, budget / 2, Seed, cancel);
        return new(new ImageFeatures(choice.Chosen.Recipe), new(
            $"{choice.Chosen.Recipe.Id} suits these images best, by heads tried on {choice.Probe} of them.", null, choice.Probe,
            double.IsFinite(choice.Stability) ? Math.Round(choice.Stability, 3) : null, EarlierChoice.Names(admissible)), choice.Chosen);
    }

    public async Task<ReadItems> ReadAsync(HeadstartDb db, VersionFeatures of, IReadOnlyList<Dataset.Item> items, IProgress<double> progress, CancellationToken cancel)
    {
        var vectors = await features.GetAsync(((ImageFeatures)of).Recipe, [.. items.Select(item => item.Sha256)], progress, cancel);
        var readable = Enumerable.Range(0, items.Count).Where(i => vectors[i] is not null).ToList();
        return new(readable.ConvertAll(i => items[i]), readable.ConvertAll(i => vectors[i]!));
    }

    public async Task<IReadOnlyList<(int First, int Second)>> AlikeAsync(HeadstartDb db, ReadItems read, CancellationToken cancel) =>
        await LookAlikes.PairsAsync([.. read.Vectors], [.. read.Items.Select(item => item.Sha256)], prints, cancel);

    public Task<IReadOnlyList<ArtifactPart>> KeepAsync(VersionFeatures of, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<ArtifactPart>>([.. ((ImageFeatures)of).Recipe.Parts.Select(p => new ArtifactPart(
            p.Backbone.Manifest.Id, p.Backbone.Manifest.Sha256, p.Backbone.Manifest.Preprocessing.Id, p.Section.Name))]);

    private FeatureRecipe Named(string id, double maxMs)
    {
        var recipe = loaded.FindRecipe(id) ?? throw new RunRefusedException($"The backbone \"{id}\" is not on this host. {loaded.HowToGetOne}");
        return recipe.MsPerImage <= maxMs ? recipe : throw new RunRefusedException(
            $"{id} needs {recipe.MsPerImage:0.0} ms per image on this host and maxLatencyMs allows {maxMs}.");
    }

    private List<Backbone> Admissible(TrainingRun run)
    {
        var all = loaded.All;
        if (all.Count == 0)
        {
            throw new RunRefusedException($"This host has no backbone. {loaded.HowToGetOne}");
        }

        var fast = all.Where(b => run.MaxLatencyMs is null || b.MsPerImage <= run.MaxLatencyMs).ToList();
        // With two others to choose from, and to join, the built-in one would cost every run time and win by luck only.
        if (fast.Count(b => b.Manifest.Id != BackboneFolders.BuiltInId) >= EnoughBackbones)
        {
            fast.RemoveAll(b => b.Manifest.Id == BackboneFolders.BuiltInId);
        }

        return fast.Count > 0 ? fast : throw new RunRefusedException(
            $"No backbone is as fast as maxLatencyMs ({run.MaxLatencyMs}) on this host; the fastest needs {all[0].MsPerImage:0.0} ms per image.");
    }
}
