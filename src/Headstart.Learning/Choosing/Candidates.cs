using Headstart.Learning.Backbones;
using static Headstart.Learning.TrainingDefaults;

namespace Headstart.Learning.Choosing;

/// <summary>Candidate features for a run.</summary>
public static class Candidates
{
    /// <summary>Every backbone alone, with its deepest inner stage, and each inner stage alone; and all pairs of backbones. Cheapest
    /// first.</summary>
    /// <param name="backbones">Backbones within the latency budget.</param>
    /// <param name="maxMs">The budget, milliseconds per image.</param>
    public static List<FeatureRecipe> Of(IReadOnlyList<Backbone> backbones, double maxMs)
    {
        ArgumentNullException.ThrowIfNull(backbones);
        var recipes = new List<FeatureRecipe>();
        var ordered = Ordered(backbones).ToList();
        foreach (var (i, backbone) in ordered.Index())
        {
            var own = FeatureRecipe.Of(backbone);
            var stages = backbone.Sections.Skip(1).Select(section => new FeatureRecipe([new FeaturePart(backbone, section)])).ToList();
            recipes.Add(own);
            recipes.AddRange(stages);
            recipes.AddRange(stages.TakeLast(1).Select(stage => own + stage));
            recipes.AddRange(ordered.Take(i).Select(other => FeatureRecipe.Of(other) + own));
        }

        return [.. recipes.Where(recipe => recipe.MsPerImage <= maxMs).OrderBy(recipe => recipe.MsPerImage)];
    }

    /// <summary>The best of the tried pairs of whole backbones; null if none was tried.</summary>
    public static FeatureRecipe? BestPair(IEnumerable<Trial> trials)
    {
        ArgumentNullException.ThrowIfNull(trials);
        return trials.Where(trial => trial.Recipe is { Parts.Count: 2, Backbones.Count: 2 }).MinBy(trial => trial.LogLoss)?.Recipe;
    }

    /// <summary>The best pair joined with each of the other backbones.</summary>
    /// <param name="pair">Two backbones joined.</param>
    /// <param name="backbones">Backbones within the latency budget.</param>
    /// <param name="maxMs">The budget, milliseconds per image.</param>
    public static IEnumerable<FeatureRecipe> Threes(FeatureRecipe pair, IReadOnlyList<Backbone> backbones, double maxMs)
    {
        ArgumentNullException.ThrowIfNull(pair);
        return backbones.Except(pair.Backbones).Select(third => Joined(pair.Backbones.Append(third)))
            .Where(recipe => recipe.MsPerImage <= maxMs);
    }

    /// <summary>
    /// The best features on average over many tasks, known before any image is seen: the two backbones with the highest published accuracy
    /// joined, or the better one if two are too slow. With few images per category a third helps, if it is not far weaker: on our five
    /// public sets ResNet-18 as the third added 1.6 points with 5 images per category, 1.2 with 10, and nothing with all of them.
    /// </summary>
    /// <param name="backbones">Backbones within the latency budget, at least one.</param>
    /// <param name="maxMs">The budget, milliseconds per image.</param>
    /// <param name="perCategory">Images per category on average.</param>
    public static FeatureRecipe Favourite(IReadOnlyList<Backbone> backbones, double maxMs, double perCategory)
    {
        ArgumentNullException.ThrowIfNull(backbones);
        var best = backbones.OrderByDescending(Accuracy).ThenByDescending(backbone => backbone.Manifest.Bytes).ToList();
        var joined = best.Take(1).ToList();
        foreach (var next in best.Skip(1).Where(next => joined.Sum(backbone => backbone.MsPerImage) + next.MsPerImage <= maxMs))
        {
            if (joined.Count < 2 || joined.Count < 3 && perCategory <= FewForThird && Accuracy(best[0]) - Accuracy(next) <= WeakestThird)
            {
                joined.Add(next);
            }
        }

        return Joined(joined);

        static double Accuracy(Backbone backbone) => backbone.Manifest.PublishedAccuracy ?? 0;
    }

    private static FeatureRecipe Joined(IEnumerable<Backbone> backbones) =>
        Ordered(backbones).Select(FeatureRecipe.Of).Aggregate((a, b) => a + b);

    /// <summary>In the order in which they are joined: not by speed, so that a recipe has the same id on every host.</summary>
    private static IEnumerable<Backbone> Ordered(IEnumerable<Backbone> backbones) =>
        backbones.OrderBy(backbone => backbone.Manifest.Bytes).ThenBy(backbone => backbone.Manifest.Id, StringComparer.Ordinal);
}
