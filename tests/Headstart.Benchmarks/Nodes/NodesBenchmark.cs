namespace Headstart.Benchmarks.Nodes;

/// <summary><c>nodes [workers] [predictions]</c>: several processes on one database and one blob store.</summary>
internal static class NodesBenchmark
{
    public static async Task<int> RunAsync(string[] sections, string shared)
    {
        var all = new Dictionary<string, Func<string,
            Task>>
        { ["workers"] = Workers.MeasureAsync, ["predictions"] = ManyPredictions.MeasureAsync };
        if (sections.Except(all.Keys).FirstOrDefault() is { } unknown)
        {
            Console.Error.WriteLine($"Unknown name \"{unknown}\"; available: {string.Join(", ", all.Keys)}.");
            return 1;
        }

        foreach (var section in sections.Length > 0 ? sections : [.. all.Keys])
        {
            Console.WriteLine($"## {section}");
            await all[section](shared);
        }

        return 0;
    }
}
