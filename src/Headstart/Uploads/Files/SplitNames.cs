using Headstart.Data;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Uploads.Files;

/// <summary>
/// The names that data sets give their splits, in any case and with or without separators, numbers and words such as set or data: train,
/// Training_Set, test-images, val2017. Validation sets count as training data here, because a run makes its own folds; evaluation and
/// holdout count as test.
/// </summary>
internal static class SplitNames
{
    private static readonly Dictionary<string, Split> Names = new(StringComparer.Ordinal)
    {
        ["train"] = Split.Train,
        ["training"] = Split.Train,
        ["trainval"] = Split.Train,
        ["val"] = Split.Train,
        ["valid"] = Split.Train,
        ["validate"] = Split.Train,
        ["validation"] = Split.Train,
        ["dev"] = Split.Train,
        ["development"] = Split.Train,
        ["test"] = Split.Test,
        ["testing"] = Split.Test,
        ["eval"] = Split.Test,
        ["evaluation"] = Split.Test,
        ["holdout"] = Split.Test,
        ["heldout"] = Split.Test,
        ["unseen"] = Split.Test,
    };

    private static readonly char[] Digits = [.. "0123456789"];

    private static readonly string[] Fillers =
        ["set", "sets", "data", "dataset", "datasets", "split", "images", "image", "imgs", "img", "pictures", "photos", "files", "folder"];

    public static bool IsName(string name) => Of(name) is not null;

    /// <summary>The split with this name; null if it is not the name of a split.</summary>
    public static Split? Of(string name) => Names.TryGetValue(Stem(name), out var split) ? split : null;

    /// <summary>The split that a part of the name stands for, as in <c>seg_test</c> or <c>cats-train</c>; null if none.</summary>
    public static Split? Within(string name) => Words(name).Select(Of).FirstOrDefault(split => split is not null);

    /// <summary>False for an unknown name; true and null if no name is given.</summary>
    public static bool TryRead(string? name, out Split? side)
    {
        side = name?.Trim() is { Length: > 0 } given ? Of(given) : null;
        return side is not null || string.IsNullOrWhiteSpace(name);
    }

    public static ProblemHttpResult Unknown() => Problems.Invalid("invalid-split", "split must be train, val or test.");

    /// <summary>The name in lower case, without separators and filler words.</summary>
    private static string Stem(string name)
    {
        var stem = string.Concat(Words(name).Where(word => !Fillers.Contains(word))).TrimEnd(Digits); // val2017, test1
        while (Fillers.FirstOrDefault(filler => stem.EndsWith(filler, StringComparison.Ordinal)) is { } filler)
        {
            stem = stem[..^filler.Length]; // trainset, testdata
        }

        return stem;
    }

    private static string[] Words(string name) =>
        name.ToLowerInvariant().Split(['-', '_', ' ', '.'], StringSplitOptions.RemoveEmptyEntries);
}
