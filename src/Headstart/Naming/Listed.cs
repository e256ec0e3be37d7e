namespace Headstart.Naming;

/// <summary>Lists in sentences.</summary>
internal static class Listed
{
    private const int Most = 5;

    /// <summary>'a', 'b' and 'c'; if there are many, the first ones and the number of others.</summary>
    public static string Names(IReadOnlyList<string> names)
    {
        string[] parts = [.. names.Take(names.Count > Most + 1 ? Most : names.Count).Select(name => $"'{name}'")];
        return parts.Length < names.Count ? $"{string.Join(", ", parts)} and {names.Count - parts.Length} more"
            : parts.Length < 2 ? string.Concat(parts) : $"{string.Join(", ", parts[..^1])} and {parts[^1]}";
    }
}
