using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Headstart.Tests;

namespace Headstart.Benchmarks;

/// <summary>
/// Accuracy on the public sets through the API of a running host: <c>accuracy ADDRESS KEY [name=value…]</c>. The pairs are fields of the
/// training run, such as <c>maxLatencyMs=30</c> or <c>backbone=squeezenet1.1</c>; <c>perCategory=5</c> trains on five images per category,
/// averaged over five draws; <c>splits=6</c> averages the set's own split and five others. Prints the table of docs/measurements.md.
/// </summary>
internal static class Accuracy
{
    private const string PerCategory = "perCategory=";
    private const string Splits = "splits=";
    private const int Draws = 5;

    public static async Task PrintAsync(Uri address, string key, IEnumerable<string> fields, string shared)
    {
        using var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        var (few, splits) = (Number(PerCategory), Number(Splits));
        var request = new JsonObject(fields.Where(field => !field.StartsWith(PerCategory, StringComparison.Ordinal)
            && !field.StartsWith(Splits, StringComparison.Ordinal)).Select(field => field.Split('=', 2)).Select(pair =>
            KeyValuePair.Create<string, JsonNode?>(pair[0], double.TryParse(pair[1], out var number) ? number : pair[1])));
        Console.WriteLine("| set | test accuracy | of | chosen | ms per image | seconds | calibration error | before calibration |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        var results = new List<SetResult>();
        foreach (var set in PublicSets.Names)
        {
            var draws = new List<SetResult>();
            for (var draw = 0; draw < (few is not null ? Draws : splits ?? 1); draw++)
            {
                draws.Add(await PublicSets.LearnAsync(client, Path.Combine(shared, "datasets", set), request, CancellationToken.None,
                    few ?? int.MaxValue, draw, splits is null ? 0 : draw));
            }

            var result = draws[0] with
            {
                Accuracy = draws.Average(d => d.Accuracy),
                Seconds = draws.Average(d => d.Seconds),
                CalibrationError = draws.Average(d => d.CalibrationError),
                UncalibratedError = draws.Average(d => d.UncalibratedError),
            };
            Console.WriteLine($"| {result.Set} | {result.Accuracy:0.000} | {result.TestImages} | {result.Chosen} | "
                + $"{result.MsPerImage:0.0} | {result.Seconds:0} | {result.CalibrationError:0.000} | {result.UncalibratedError:0.000} |");
            results.Add(result);
        }

        Console.WriteLine($"| mean | {results.Average(result => result.Accuracy):0.000} | | | | | "
            + $"{results.Average(result => result.CalibrationError):0.000} | "
            + $"{results.Average(result => result.UncalibratedError):0.000} |");

        int? Number(string name) => fields.Where(field => field.StartsWith(name, StringComparison.Ordinal))
            .Select(field => (int?)int.Parse(field[name.Length..])).FirstOrDefault();
    }
}
