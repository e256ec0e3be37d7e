using System.Globalization;
using Headstart.Learning.Backbones;
using Headstart.Learning.Choosing;
using Headstart.Learning.Heads;
using Headstart.Tests;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Benchmarks.Choosing;

/// <summary>
/// <c>choice [splits=N] [folder…]</c>: how good the choice of features is. On several splits of five sets every candidate is cross-validated
/// on one side, as in a run, and judged on the other: regret is the accuracy of the best candidate in hindsight less that of the chosen one.
/// Beside it, what the unknown answer says of the other side and of images of the other sets.
/// </summary>
internal static class ChoiceBenchmark
{
    /// <param name="Accuracy">On the other side.</param>
    private sealed record Judged(Trial Trial, double Accuracy);

    public static async Task<int> RunAsync(string[] args, string shared)
    {
        var splits = args.Where(arg => arg.StartsWith("splits=", StringComparison.Ordinal)).Select(arg => int.Parse(arg[7..])).Append(6).First();
        string[] folders = [.. args.Where(Directory.Exists), Path.Combine(shared, "backbones")];
        var (files, problems) = BackboneFolders.Find(folders);
        problems.ToList().ForEach(Console.Error.WriteLine);
        List<Backbone> backbones = [.. files.Select(file => Backbone.Open(file, threads: 1, stages: true))];
        backbones.ForEach(backbone => backbone.Measure());
        var sets = new List<PublicImages>();
        foreach (var name in PublicSets.Names)
        {
            sets.Add(await PublicImages.ReadAsync(Path.Combine(shared, "datasets", name), backbones));
        }

        Console.WriteLine("| set | split | chosen | accuracy | best in hindsight | accuracy | regret | favourite | unknown | foreign caught |\n"
            + "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        var regrets = new List<(double Chosen, double Best, double Favourite, double Unknown, double Caught)>();
        var byRecipe = new Dictionary<string, List<double>>();
        foreach (var set in sets)
        {
            for (var split = 0; split < splits; split++)
            {
                var (train, test) = set.Sides(split);
                var judged = Candidates(backbones, recipe => Judge(set, recipe, train, test));
                var favourite = Learning.Choosing.Candidates.Favourite(backbones, double.PositiveInfinity).Id;
                var chosen = ChoiceRule.Choose([.. judged.Select(j => j.Trial)], judged.Single(j => j.Trial.Id == favourite).Trial);
                var (own, best) = (judged.Single(j => j.Trial == chosen), judged.MaxBy(j => j.Accuracy)!);
                judged.ForEach(j => (byRecipe.TryGetValue(j.Trial.Id, out var all) ? all : byRecipe[j.Trial.Id] = []).Add(j.Accuracy));
                var known = NoveltyDetector.Of(set.Features(chosen.Recipe, train));
                var unknown = Share(set.Features(chosen.Recipe, test).Features, known);
                var caught = sets.Where(other => other != set).Average(other => Share(other.Features(chosen.Recipe, [.. Enumerable.Range(0, other.Count)]).Features, known));
                var ofFavourite = judged.Single(j => j.Trial.Id == favourite).Accuracy;
                regrets.Add((own.Accuracy, best.Accuracy, ofFavourite, unknown, caught));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {set.Name} | {split} | {chosen.Id} | {own.Accuracy:0.000} | {best.Trial.Id} | {best.Accuracy:0.000} | {best.Accuracy - own.Accuracy:0.000} | {ofFavourite:0.000} | {unknown:0.000} | {caught:0.000} |"));
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| mean | | | {regrets.Average(r => r.Chosen):0.000} | | {regrets.Average(r => r.Best):0.000} | {regrets.Average(r => r.Best - r.Chosen):0.000}, at most {regrets.Max(r => r.Best - r.Chosen):0.000} | {regrets.Average(r => r.Favourite):0.000} | {regrets.Average(r => r.Unknown):0.000} | {regrets.Average(r => r.Caught):0.000} |"));
        Console.WriteLine("\n| recipe | mean accuracy |\n| --- | --- |");
        foreach (var (recipe, accuracies) in byRecipe.OrderByDescending(pair => pair.Value.Average()))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {recipe} | {accuracies.Average():0.000} |"));
        }

        backbones.ForEach(backbone => backbone.Dispose());
        return 0;
    }

    private static double Share(IReadOnlyList<float[]> features, NoveltyDetector known) => features.Average(f => known.IsUnknown(f) ? 1.0 : 0);

    /// <summary>Those of a run: everything, then the best pair with each third.</summary>
    private static List<Judged> Candidates(List<Backbone> backbones, Func<FeatureRecipe, Judged> judge)
    {
        var judged = Learning.Choosing.Candidates.Of(backbones, double.PositiveInfinity).AsParallel().Select(judge).ToList();
        if (Learning.Choosing.Candidates.BestPair(judged.Select(j => j.Trial)) is { } pair)
        {
            judged.AddRange(Learning.Choosing.Candidates.Threes(pair, backbones, double.PositiveInfinity).ToList().ConvertAll(r => judge(r)));
        }

        return [.. judged.OrderBy(j => j.Trial.MsPerExample)];
    }

    private static Judged Judge(PublicImages set, FeatureRecipe recipe, int[] train, int[] test)
    {
        var (learned, unseen) = (set.Features(recipe, train), set.Features(recipe, test));
        var trial = Trial.Run(recipe, learned, HeadTraining.Repeats(learned.Count), Seed, CancellationToken.None);
        var head = HeadTraining.Train(learned, trial.Validation.Method, CancellationToken.None);
        var right = unseen.Features.Zip(unseen.Labels).Average(pair => Array.IndexOf(head.Probabilities(pair.First), head.Probabilities(pair.First).Max()) == pair.Second ? 1.0 : 0);
        return new(trial, right);
    }
}
