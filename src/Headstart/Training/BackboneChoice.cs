using System.Collections.Concurrent;
using Headstart.Backbones;
using Headstart.Learning.Backbones;
using Headstart.Learning.Choosing;
using Headstart.Learning.Heads;
using Headstart.Learning.Words;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Training;

/// <summary>
/// Finds the best features for the images by the cross-validated log loss of a head on a sample of them: the objective itself, not a proxy.
/// Many backbones are first tried on a quarter and then on half of the sample, and the worse half of them is dropped each time. The rest
/// are tried once each: with their inner stages, in pairs, and the best pair with each third backbone. If there are few images, the better
/// half of these is tried several times. The favourite, known without trials, always stays in, and so do image-text pairs, whose heads
/// begin with the words of the categories.
/// </summary>
public sealed class BackboneChoice(FeatureCache features, CategoryWords words, TimeProvider clock)
{
    /// <param name="Probe">How many images the cross-validation saw.</param>
    /// <param name="Stability">See <see cref="ChoiceRule.Stability"/>.</param>
    /// <param name="Reason">See <see cref="ChoiceRule.Reason"/>.</param>
    public sealed record Choice(Trial Chosen, int Probe, double Stability, string Reason);

    /// <param name="backbones">Backbones within <paramref name="maxMs"/>, cheapest first; at least one.</param>
    /// <param name="maxMs">Limit for joined backbones, in milliseconds per image.</param>
    /// <param name="budget">No further backbone is tried after this time; null means no limit.</param>
    public async Task<Choice> ChooseAsync(IReadOnlyList<Backbone> backbones, double maxMs, Dataset data, StageProgress progress,
        TimeSpan? budget, int seed, CancellationToken cancel)
    {
        var table = new TrialTable(progress);
        var started = clock.GetTimestamp();
        var left = await ScreenAsync(backbones, maxMs, data, table, progress.Part(0, 3), seed, cancel);

        var sample = data.Sample(ProbeImages);
        var vectors = new Dictionary<Backbone, float[]?[]>();
        foreach (var (i, backbone) in left.Index())
        {
            if (i == 0 || budget is null || clock.GetElapsedTime(started) < budget)
            {
                vectors[backbone] = await features.GetAsync(backbone, [.. sample.Select(s => s.Sha256)],
                    progress.Part(1, 3).Part(i, left.Count), cancel);
            }
        }

        var seen = left.FindAll(vectors.ContainsKey);
        var favourite = Candidates.Favourite(seen, maxMs, data.PerCategory);
        var last = progress.Part(2, 3);
        var repeats = HeadTraining.Repeats(sample.Count);
        var worded = words.Recipes(seen, maxMs).ToList();
        List<FeatureRecipe> candidates = [.. Candidates.Of(seen, maxMs), .. worded];
        var trials = await TryAsync(candidates, repeats: 1, last.Part(0, 3));
        if (Candidates.BestPair(trials.Where(trial => !worded.Contains(trial.Recipe))) is { } pair)
        {
            var threes = Candidates.Threes(pair, seen, maxMs).Append(favourite).DistinctBy(recipe => recipe.Id)
                .Where(recipe => !candidates.Exists(tried => tried.Id == recipe.Id)).ToList();
            candidates.AddRange(threes);
            trials.AddRange(await TryAsync(threes, repeats: 1, last.Part(1, 3)));
        }

        if (trials[0].Scores.Count == 0 && worded is [var unseen, ..])
        {
            favourite = unseen; // with one image per category, words tell more
        }

        if (repeats > 1)
        {
            var keep = Math.Max(FewTrials, (trials.Count + 1) / 2);
            var better = trials.OrderBy(t => t.LogLoss).Take(keep).Select(t => t.Recipe.Id).Append(favourite.Id).ToHashSet();
            trials = await TryAsync(candidates.FindAll(c => better.Contains(c.Id)), repeats, last.Part(2, 3));
        }

        trials.Sort((a, b) => a.MsPerExample.CompareTo(b.MsPerExample));
        var chosen = ChoiceRule.Choose(trials, trials.Find(t => t.Recipe.Id == favourite.Id)!);
        table.Choose(chosen.Recipe.Id);
        return new(chosen, chosen.Scores.Count, ChoiceRule.Stability(trials, chosen), ChoiceRule.Reason(trials, chosen, "images"));

        async Task<List<Trial>> TryAsync(IReadOnlyList<FeatureRecipe> recipes, int repeats, StageProgress part)
        {
            var done = new ConcurrentBag<Trial>();
            await Parallel.ForEachAsync(recipes, new ParallelOptions
            {
                MaxDegreeOfParallelism = Environment.ProcessorCount,
                CancellationToken = cancel
            }, (recipe, token) =>
            {
                var set = Checked(data.With(sample, FeatureCache.Assemble(recipe, [.. recipe.Backbones.Select(b => vectors[b])])));
                set = set with { Prior = words.Prior(recipe) };
                var trial = Trial.Run(recipe, set, repeats, seed, token);
                done.Add(trial);
                table.Add(trial);
                part.Report((double)done.Count / recipes.Count);
                return ValueTask.CompletedTask;
            });
            return [.. done.OrderBy(t => recipes.Index().First(r => r.Item.Id == t.Recipe.Id).Index)];
        }
    }

    /// <summary>Successive halving by images: a backbone far behind on a quarter of the sample is tried no further.</summary>
    private async Task<List<Backbone>> ScreenAsync(
        IReadOnlyList<Backbone> backbones, double maxMs, Dataset data, TrialTable table, StageProgress progress, int seed,
        CancellationToken cancel)
    {
        var left = backbones.ToList();
        var favourites = Candidates.Favourite(backbones, maxMs, data.PerCategory).Backbones.Union(words.Pairs.Select(pair => pair.Images))
            .Intersect(backbones).ToList();
        foreach (var (round, share) in ((double[])[0.25, 0.5]).Index())
        {
            var sample = data.Sample((int)(share * Math.Min(ProbeImages, data.Train.Count)));
            if (left.Count <= FewBackbones || sample.Count < FewImagesToChoose)
            {
                continue;
            }

            var scores = new Dictionary<Backbone, double>();
            foreach (var (i, backbone) in left.Index())
            {
                var part = progress.Part(round, 2).Part(i, left.Count);
                var own = FeatureRecipe.Of(backbone);
                var set = Checked(data.With(sample, await features.GetAsync(own, [.. sample.Select(s => s.Sha256)], part, cancel)));
                var trial = await Task.Run(() => Trial.Run(own, set, 1, seed, cancel), cancel);
                scores[backbone] = trial.LogLoss;
                table.Add(trial);
            }

            var better = left.OrderBy(b => scores[b]).Take(Math.Max(FewBackbones, (left.Count + 1) / 2)).Concat(favourites).ToHashSet();
            left.RemoveAll(b => !better.Contains(b));
        }

        return left;
    }

    private static LabelledFeatures Checked(LabelledFeatures set) =>
        set.Support().Min() >= MinExamples ? set
            : throw RefusedException.Invalid("run-refused",
                "Too many images can no longer be read, leaving a category with none; upload them again.");

    /// <summary>The trials so far, best first, as the run shows them; the best one counts as chosen until the rule decides.</summary>
    private sealed class TrialTable(StageProgress progress)
    {
        private readonly Dictionary<string, Trial> _trials = [];

        public void Add(Trial trial)
        {
            lock (_trials)
            {
                _trials[trial.Recipe.Id] = trial;
                Show(_trials.Values.MinBy(t => (-t.Scores.Count, t.LogLoss))!.Recipe.Id);
            }
        }

        public void Choose(string id)
        {
            lock (_trials)
            {
                Show(id);
            }
        }

        private void Show(string chosen) => progress.Show(
            [.. _trials.Values.OrderBy(t => (-t.Scores.Count, t.LogLoss)).Select(t => t.Row(t.Recipe.Id == chosen, digits: 2))]);
    }
}
