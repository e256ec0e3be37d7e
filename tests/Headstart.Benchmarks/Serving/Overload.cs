using System.Net;

namespace Headstart.Benchmarks.Serving;

/// <summary>Twice as many requests as can be answered, at a fixed rate. Accepted requests wait for at most the length of the queue; all
/// others are refused immediately.</summary>
internal static class Overload
{
    private const int Saturating = 64;

    public static async Task MeasureAsync(Bench bench, ResultTable table)
    {
        await bench.PredictAsync(Saturating, bench.Photographs.Count);
        var saturated = (await bench.PredictAsync(Saturating, 4 * Saturating)).PerSecond;
        var load = await Load.OpenAsync(bench.Client, bench.Client.Predictions(bench.Model), i =>
            bench.Photographs.Content(i, stamped: true),
            2 * saturated, TimeSpan.FromSeconds(bench.Scale.OverloadSeconds));
        var answered = load.Answers.Where(answer => answer.Status == HttpStatusCode.OK).Select(answer => answer.Milliseconds).ToList();
        var refused = load.Answers.Where(answer => answer.Status == HttpStatusCode.ServiceUnavailable).Select(answer => answer.Milliseconds)
            .ToList();
        var served = answered.Count / load.Seconds;
        var longest = 1000 * (HostProcess.MaxWaiting + Environment.ProcessorCount) / served;
        table.Section($"Overload: {2 * saturated:0} requests/s, twice what saturates, for {bench.Scale.OverloadSeconds} s");
        table.Row("answered (200) and refused (503), share of all", $"{Share(answered.Count)} and {Share(refused.Count)}", "", null,
            "together 100.0 %");
        table.Row("any other answer", Share(load.Answers.Count - answered.Count - refused.Count), "", null, "0.0 %");
        table.Row("answered a second, of what it does when just saturated", $"{served:0.0}", $"{saturated:0.0}", served / saturated);
        table.Row("longest wait of those answered, ms, of what the queue allows", $"{answered.Max():0}", $"{longest:0}",
            answered.Max() / longest, "<= 1");
        table.Row("median and 99th percentile of those answered, ms",
            $"{Measured.Of(answered):0} and {Measured.Quantile(answered, 0.99):0}");
        if (refused.Count > 0)
        {
            table.Row("median and longest wait for a refusal, ms", $"{Measured.Of(refused):0} and {refused.Max():0}");
        }

        table.Note("Overload: waits count from when a request was due. The queue allows (waiting + cores) / (answered a second) = "
            + $"({HostProcess.MaxWaiting} + "
            + $"{Environment.ProcessorCount}) / {served:0}. The generator used {load.OwnCores:0.00} of the cores.");

        string Share(int count) => $"{100.0 * count / load.Answers.Count:0.0} %";
    }
}
