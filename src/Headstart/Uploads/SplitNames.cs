using Headstart.Data;
using Headstart.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Headstart.Uploads;

/// <summary>The names that data sets give their splits. Validation sets count as training data here.</summary>
internal static class SplitNames
{
    private static readonly Dictionary<string, Split> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = Split.Train,
        ["val"] = Split.Train,
        ["valid"] = Split.Train,
        ["validation"] = Split.Train,
        ["test"] = Split.Test,
    };

    public static bool IsName(string name) => Names.ContainsKey(name);

    /// <summary>False for an unknown name; true and null if no name is given.</summary>
    public static bool TryRead(string? name, out Split? side)
    {
        side = name?.Trim() is { Length: > 0 } given && Names.TryGetValue(given, out var known) ? known : null;
        return side is not null || string.IsNullOrWhiteSpace(name);
    }

    public static ProblemHttpResult Unknown() => Problems.Invalid("invalid-split", "split must be train, val or test.");
}
