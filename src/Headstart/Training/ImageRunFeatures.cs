using Headstart.Backbones;
using Headstart.Data;
using Headstart.Learning.Backbones;
using Headstart.Learning.Choosing;
using Headstart.Learning.Heads;
using Headstart.Learning.Texts;
using Headstart.Learning.Words;
using Headstart.Reports;
using Headstart.Similarity;
using Headstart.Versions;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>Features of images: computed by the backbones of this host, through the feature cache.</summary>
public sealed class ImageRunFeatures(
    LoadedBackbones loaded, ImageTextPairs pairs, FeatureCache features, WantedBackbones wanted, EarlierChoice earlier,
    Fingerprints prints, TimeProvider clock) : IRunFeatures
{
    /// <summary>
    /// Downloads missing backbones and chooses the features; reuses an earlier run's choice if nothing could have changed it.
    /// </summary>
    public async Task<ChosenFeatures> ChooseAsync(HeadstartDb db, ActiveRun run, Dataset data, StageProgress progress,
        CancellationToken cancel)
    {
        var maxMs = run.Run.MaxLatencyMs ?? double.PositiveInfinity;
        var named = await wanted.BringAsync(db, run, cancel);
        var words = await UsableAsync(run,
            await WordsRun.WordsOfAsync(db, run.Run.ModelId, data.Categories, data.Kind.ReadsWords() ? pairs.All : [], cancel), cancel);
        if (named is not null)
        {
            return With(words, Named(named, maxMs), null, null);
        }

        var admissible = Admissible(run.Run);
        List<string> candidates =
            [.. EarlierChoice.Names(admissible), .. words.Pairs.Select(pair => $"{pair.Texts.Id} {pair.Texts.Sha256[..12]}")];
        if (await earlier.FindAsync(db, run.Run, candidates, data, cancel) is { } standing
            && FeatureRecipe.Parse(standing.Backbone, admissible) is { } recipe)
        {
            progress.Show([.. standing.Trials]);
            return With(words, recipe, standing.Report, null);
        }

        var choice = await new BackboneChoice(features, words, clock).ChooseAsync(
            admissible, maxMs, data, progress, run.TimeLeft / 2, Seed, cancel);
        return With(words, choice.Chosen.Recipe, new(
            choice.Probe == 0 ? $"{choice.Chosen.Recipe.Id} was chosen without comparison: no category has two images to compare on."
                : $"{choice.Reason}.", null, choice.Probe,
            double.IsFinite(choice.Stability) ? Math.Round(choice.Stability, 3) : null, candidates), choice.Chosen);
    }

    /// <summary>Drops the pairs that cannot be used, with a notice: a run can do without words.</summary>
    private static async Task<CategoryWords> UsableAsync(ActiveRun run, CategoryWords words, CancellationToken cancel)
    {
        var usable = new List<ImageTextPair>();
        foreach (var pair in words.Pairs)
        {
            try
            {
                await Task.Run(() => pair.Directions(words.Prompts), cancel);
                usable.Add(pair);
            }
            catch (TextFeaturesException e)
            {
                run.Notice($"The words of the categories were not read: {e.Message}");
            }
        }

        return words with { Pairs = usable };
    }

    private static ChosenFeatures With(CategoryWords words, FeatureRecipe recipe, ChoiceReport? report, Tried? tried) =>
        new(new ImageFeatures(recipe), report, tried) { Words = words, Prior = words.Prior(recipe) };

    public async Task<ReadItems> ReadAsync(HeadstartDb db, VersionFeatures of, IReadOnlyList<Dataset.Item> items,
        IProgress<double> progress, CancellationToken cancel)
    {
        var vectors = await features.GetAsync(((ImageFeatures)of).Recipe, [.. items.Select(item => item.Sha256)], progress, cancel);
        var readable = Enumerable.Range(0, items.Count).Where(i => vectors[i] is not null).ToList();
        return new(readable.ConvertAll(i => items[i]), readable.ConvertAll(i => vectors[i]!));
    }

    public async Task<IReadOnlyList<(int First, int Second)>> AlikeAsync(HeadstartDb db, ReadItems read, CancellationToken cancel) =>
        await LookAlikes.PairsAsync([.. read.Vectors], [.. read.Items.Select(item => item.Sha256)], prints, cancel);

    public Task<IReadOnlyList<ArtifactPart>> KeepAsync(VersionFeatures of, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<ArtifactPart>>([.. ((ImageFeatures)of).Recipe.Parts.Select(p => new ArtifactPart(
            p.Backbone.Manifest.Id, p.Backbone.Manifest.Sha256, p.Backbone.Manifest.InputId, p.Section.Name))]);

    private FeatureRecipe Named(string id, double maxMs)
    {
        var recipe = loaded.FindRecipe(id) ?? throw RefusedException.Invalid("run-refused",
            $"The backbone \"{id}\" is not installed on this host. "
            + $"{loaded.HowToGetOne}");
        return recipe.MsPerImage <= maxMs ? recipe : throw RefusedException.Invalid("run-refused",
            $"{id} needs {recipe.MsPerImage:0.0} ms per image on this host, but maxLatencyMs is {maxMs} ms; raise it or name a faster "
                + "backbone.");
    }

    private List<Backbone> Admissible(TrainingRun run)
    {
        var all = loaded.All;
        if (all.Count == 0)
        {
            throw RefusedException.Invalid("run-refused", $"This host has no backbone. {loaded.HowToGetOne}");
        }

        var fast = all.Where(b => run.MaxLatencyMs is null || b.MsPerImage <= run.MaxLatencyMs).ToList();
        // An 8-bit network gives nearly the same features as its original, in less time: trying both would only make every run slower.
        fast.RemoveAll(b => fast.Exists(other => other.Manifest.QuantisedFrom == b.Manifest.Sha256));
        // With two others to choose from and to join, the built-in one would cost every run time and win only by luck.
        if (fast.Count(b => !IsBuiltIn(b)) >= EnoughBackbones)
        {
            fast.RemoveAll(IsBuiltIn);
        }

        return fast.Count > 0 ? fast : throw RefusedException.Invalid("run-refused",
            $"maxLatencyMs ({run.MaxLatencyMs} ms) is below this host's fastest backbone, which needs {all[0].MsPerImage:0.0} ms per "
                + "image; raise it.");
    }

    private static bool IsBuiltIn(Backbone backbone) =>
        backbone.Manifest.Id is BackboneFolders.BuiltInId or BackboneFolders.BuiltInId + EightBitBackbone.Suffix;
}
