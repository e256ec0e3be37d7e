namespace Headstart.Benchmarks.Serving;

/// <summary>
/// <c>serving [limit] [overload] [peers] [models] [training] [growth] [--quick | --full]</c>: the real host against what the machine can do
/// and against what a user would write instead, in one table. Without names, all sections.
/// </summary>
internal static class ServingBenchmark
{
    private static readonly (string Name, Func<Bench, ResultTable, Task> MeasureAsync)[] Sections =
    [
        ("limit", Limit.MeasureAsync),
        ("overload", Overload.MeasureAsync),
        ("peers", Peers.MeasureAsync),
        ("models", ManyModels.MeasureAsync),
        ("training", TrainingTime.MeasureAsync),
        ("growth", Growth.MeasureAsync),
    ];

    public static async Task<int> RunAsync(string[] args, string shared)
    {
        var names = args.Where(arg => !arg.StartsWith("--", StringComparison.Ordinal)).ToList();
        if (args.Except([.. Sections.Select(section => section.Name), "--quick", "--full"]).FirstOrDefault() is { } unknown)
        {
            Console.Error.WriteLine($"There is no \"{unknown}\"; there are "
                + $"{string.Join(", ", Sections.Select(section => section.Name))}, --quick and --full.");
            return 1;
        }

        var scale = args.Contains("--quick") ? Scale.Quick : args.Contains("--full") ? Scale.Full : Scale.Default;
        await using var bench = await Bench.OpenAsync(shared, scale);
        var table = new ResultTable(Console.Out);
        table.Begin();
        foreach (var (_, measureAsync) in Sections.Where(section => names.Count == 0 || names.Contains(section.Name)))
        {
            await measureAsync(bench, table);
        }

        table.End();
        return 0;
    }
}
