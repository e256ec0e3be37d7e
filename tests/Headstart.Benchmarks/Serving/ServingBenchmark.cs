namespace Headstart.Benchmarks.Serving;

/// <summary>
/// <c>serving [limit] [profile] [overload] [peers] [models] [training] [growth] [--quick | --full] [--int8]</c>: compares the real host
/// with the limit of the machine and with what a user would write instead, in one table. Without names, all sections. With <c>--int8</c>
/// the host uses the 8-bit form of its backbone; the peers still use the original network.
/// </summary>
internal static class ServingBenchmark
{
    private static readonly (string Name, Func<Bench, ResultTable, Task> MeasureAsync)[] Sections =
    [
        ("limit", Limit.MeasureAsync),
        ("profile", RequestProfile.MeasureAsync),
        ("overload", Overload.MeasureAsync),
        ("peers", Peers.MeasureAsync),
        ("models", ManyModels.MeasureAsync),
        ("training", TrainingTime.MeasureAsync),
        ("growth", Growth.MeasureAsync),
    ];

    public static async Task<int> RunAsync(string[] args, string shared)
    {
        var names = args.Where(arg => !arg.StartsWith("--", StringComparison.Ordinal)).ToList();
        if (args.Except([.. Sections.Select(section => section.Name), "--quick", "--full", "--int8"]).FirstOrDefault() is { } unknown)
        {
            Console.Error.WriteLine($"Unknown name \"{unknown}\"; available: "
                + $"{string.Join(", ", Sections.Select(section => section.Name))}, --quick, --full and --int8.");
            return 1;
        }

        var scale = args.Contains("--quick") ? Scale.Quick : args.Contains("--full") ? Scale.Full : Scale.Default;
        await using var bench = await Bench.OpenAsync(shared, scale, eightBits: args.Contains("--int8"));
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
