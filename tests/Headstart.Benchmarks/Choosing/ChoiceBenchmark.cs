using Headstart.Learning.Backbones;
using Headstart.Learning.Choosing;
using Headstart.Learning.Heads;
using Headstart.Tests;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Benchmarks.Choosing;

/// <summary>
/// <c>choice [splits=N] [folder…]</c>: how well features are chosen. On several splits of five sets every candidate is cross-validated on
/// one side, as in a run, and tested on the other. Regret is the accuracy of the best candidate in hindsight minus that of the chosen one.
/// Also reports how much of the other side and of the other sets the chosen one calls unknown. The folders contain further backbones.
/// </summary>
internal static class ChoiceBenchmark
{
    private const string Splits = "splits=";

    /// <param name="Trial">Trial on one side.</param>
    /// <param name="Accuracy">Accuracy on the other side.</param>
    private sealed record Judged(Trial Trial, double Accuracy);

    /// <param name="Chosen">Accuracy of the chosen recipe on the other side.</param>
    /// <param name="Best">Accuracy of the best recipe in hindsight.</param>
    /// <param name="Favourite">Accuracy of the favourite.</param>
    /// <param name="Unknown">Share of the other side that is called unknown.</param>
    /// <param name="Caught">Share of the other sets' images that is called unknown.</param>
    private sealed record Outcome(double Chosen, double Best, double Favourite, double Unknown, double Caught)
    {
        public double Regret => Best - Chosen;
    }

    public static async Task<int> RunAsync(string[] args, string shared)
    {
        var splits = args.Where(arg => arg.StartsWith(Splits, StringComparison.Ordinal)).Select(arg => int.Parse(arg[Splits.Length..]))
            .Append(6).First();
        var (files, problems) = BackboneFolders.Find([.. args.Where(Directory.Exists), Path.Combine(shared, "backbones")]);
        problems.ToList().ForEach(Console.Error.WriteLine);
        var backbones = files.Select(file => Backbone.Open(file, threads: 1, stages: true)).ToList();
        backbones.ForEach(backbone => backbone.Measure());
        var sets = new List<PublicImages>();
        foreach (var name in PublicSets.Names)
        {
            sets.Add(await PublicImages.ReadAsync(Path.Combine(shared, "datasets", name), backbones));
        }

        Console.WriteLine("| set | split | chosen | accuracy | best | accuracy | regret | favourite | unknown | caught |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        var outcomes = new List<Outcome>();
        var accuracies = new Dictionary<string, List<double>>();
        foreach (var set in sets)
        {
            for (var split = 0; split < splits; split++)
            {
                var sides = set.Sides(split);
                var known = Candidates.Favourite(backbones, double.PositiveInfinity, set.PerCategory(sides.Train));
                var judged = All(backbones, known, recipe => Judge(set, recipe, sides));
                judged.ForEach(j => (accuracies.TryGetValue(j.Trial.Id, out var all) ? all : accuracies[j.Trial.Id] = []).Add(j.Accuracy));
                var favourite = judged.Single(j => j.Trial.Id == known.Id);
                var chosen = ChoiceRule.Choose([.. judged.Select(j => j.Trial)], favourite.Trial);
                var best = judged.MaxBy(j => j.Accuracy)!;
                var region = NoveltyDetector.Of(set.Features(chosen.Recipe, sides.Train));
                var outcome = new Outcome(judged.Single(j => j.Trial == chosen).Accuracy, best.Accuracy, favourite.Accuracy,
                    Unknown(region, set.Features(chosen.Recipe, sides.Test)),
                    sets.Where(other => other != set).Average(other => Unknown(region, other.Features(chosen.Recipe, other.All))));
                outcomes.Add(outcome);
                Console.WriteLine($"| {set.Name} | {split} | {chosen.Id} | {outcome.Chosen:0.000} | {best.Trial.Id} | {outcome.Best:0.000} "
                    + $"| {outcome.Regret:0.000} | {outcome.Favourite:0.000} | {outcome.Unknown:0.000} | {outcome.Caught:0.000} |");
            }
        }

        Console.WriteLine($"| mean | | | {outcomes.Average(o => o.Chosen):0.000} | | {outcomes.Average(o => o.Best):0.000} "
            + $"| {outcomes.Average(o => o.Regret):0.000}, at most {outcomes.Max(o => o.Regret):0.000} "
            + $"| {outcomes.Average(o => o.Favourite):0.000} | {outcomes.Average(o => o.Unknown):0.000} "
            + $"| {outcomes.Average(o => o.Caught):0.000} |\n\n| recipe | mean accuracy |\n| --- | --- |");
        foreach (var (recipe, all) in accuracies.OrderByDescending(pair => pair.Value.Average()))
        {
            Console.WriteLine($"| {recipe} | {all.Average():0.000}, in {all.Count} of {outcomes.Count} |");
        }

        backbones.ForEach(backbone => backbone.Dispose());
        return 0;
    }

    /// <summary>The candidates of a run: all first ones, then the best pair with each third backbone.</summary>
    private static List<Judged> All(List<Backbone> backbones, FeatureRecipe favourite, Func<FeatureRecipe, Judged> judge)
    {
        var judged = Candidates.Of(backbones, double.PositiveInfinity).AsParallel().Select(judge).ToList();
        var pair = Candidates.BestPair(judged.Select(j => j.Trial))!;
        judged.AddRange(Candidates.Threes(pair, backbones, double.PositiveInfinity).Append(favourite)
            .Where(recipe => judged.TrueForAll(j => j.Trial.Id != recipe.Id)).DistinctBy(recipe => recipe.Id).ToList().AsParallel()
            .Select(judge));
        return [.. judged.OrderBy(j => j.Trial.MsPerExample)];
    }

    private static Judged Judge(PublicImages set, FeatureRecipe recipe, (int[] Train, int[] Test) sides)
    {
        var (learned, unseen) = (set.Features(recipe, sides.Train), set.Features(recipe, sides.Test));
        var trial = Trial.Run(recipe, learned, HeadTraining.Repeats(learned.Count), Seed, CancellationToken.None);
        var head = HeadTraining.Train(learned, trial.Validation.Method, CancellationToken.None);
        return new(trial, unseen.Features.Zip(unseen.Labels, (f, label) => head.Best(f) == label ? 1.0 : 0).Average());
    }

    private static double Unknown(NoveltyDetector known, LabelledFeatures set) => set.Features.Average(f => known.IsUnknown(f) ? 1.0 : 0);
}
