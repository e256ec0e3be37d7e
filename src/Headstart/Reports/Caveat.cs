using Headstart.Data;
using Headstart.Learning.Heads;

namespace Headstart.Reports;

/// <summary>What training examples cannot say about their categories, in words.</summary>
internal static class Caveat
{
    /// <summary>Categories with a single training example, or with only look-alikes: nothing can be said about other examples.</summary>
    public static IReadOnlyList<string> Unmeasured(LabelledFeatures train) =>
        [.. train.Scenes().Index().Where(of => of.Item < 2).Select(of => train.Categories[of.Index])];

    /// <returns>null if there are no such categories.</returns>
    public static string? Of(LabelledFeatures train, ModelKind kind)
    {
        var (support, scenes, what) = (train.Support(), train.Scenes(), kind.Nouns());
        var all = Enumerable.Range(0, scenes.Length).ToList();
        var alike = all.FindAll(k => scenes[k] == 1 && support[k] > 1);
        var single = all.FindAll(k => support[k] < 2);
        var sentences = new List<string>();
        if (alike.Count > 0)
        {
            var whose = alike.Count == all.Count ? "each category" : alike.Count == 1 ? Listed.Names(Those(alike))
                : $"each of {Listed.Names(Those(alike))}";
            sentences.Add(kind.IsText()
                ? $"All {what} of {whose} are worded alike, so nothing can be said about other wordings: add {what} worded differently."
                : $"All {what} of {whose} show one scene, so nothing can be said about other scenes: add {what} from elsewhere.");
        }

        if (single.Count > 0)
        {
            var whose = single.Count == all.Count ? "Each category has" : single.Count == 1 ? $"{Listed.Names(Those(single))} has"
                : $"{Listed.Names(Those(single))} have";
            var each = single.Count == 1 || single.Count == all.Count ? "" : " each";
            sentences.Add($"{whose} only one {kind.Noun()}{each}, so nothing can be said about how others would fare: add {what}.");
        }

        return sentences.Count == 0 ? null : string.Join(' ', sentences);

        List<string> Those(List<int> some) => some.ConvertAll(k => train.Categories[k]);
    }
}
