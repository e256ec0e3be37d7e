using System.Diagnostics;
using Headstart.Blobs;
using Headstart.Learning.Heads;
using Npgsql;

namespace Headstart.Benchmarks.Serving;

/// <summary>
/// Many published models, requested in random order. They are copies of the trained one, each with its own head. Rows and heads are written
/// directly to database and blobs, because a thousand training runs would take most of an hour and show nothing about serving.
/// </summary>
internal static class ManyModels
{
    private const int Concurrency = 8;
    private const int ColdOnes = 50;

    // jsonb_populate_record copies all columns; only those that must differ are named.
    private const string Copy = """
        WITH model AS (
            INSERT INTO models SELECT (jsonb_populate_record(m, jsonb_build_object('id', $2, 'name', $2))).* FROM models m WHERE m.id = $1),
        category AS (
            INSERT INTO categories SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'model_id', $2))).* FROM categories c WHERE c.model_id = $1),
        run AS (
            INSERT INTO training_runs SELECT (jsonb_populate_record(r, jsonb_build_object('id', $3, 'model_id', $2))).* FROM training_runs r
            JOIN model_versions v ON v.run_id = r.id WHERE v.model_id = $1 AND v.number = 1)
        INSERT INTO model_versions SELECT (jsonb_populate_record(v, jsonb_build_object('run_id', $3, 'model_id', $2, 'artifact', $4))).* FROM model_versions v
            WHERE v.model_id = $1 AND v.number = 1
        """;

    public static async Task MeasureAsync(Bench bench, ResultTable table)
    {
        table.Section($"Many models: {Concurrency} requests at once to all of them at random, predictions/s, median (least..most) of "
            + $"{bench.Scale.Rounds} rounds");
        var models = new List<Uri>();
        var template = await PeerFiles.ReadHeadAsync(bench.Host, bench.Model);
        await using var database = bench.Host.OpenDatabase();
        foreach (var count in bench.Scale.Models)
        {
            while (models.Count < count)
            {
                models.Add(bench.Client.Predictions(await CopyAsync(bench, database, template, models.Count)));
            }

            await MeasureAsync(bench, table, models, count == bench.Scale.Models[^1]);
        }

        table.Note("Many models: copies of the trained model, each with another head (its weights changed a little), written "
            + "directly to the host's database and blobs. Memory is the growth of the host after each of the new models has answered "
            + "once, without PostgreSQL.");
    }

    private static async Task MeasureAsync(Bench bench, ResultTable table, List<Uri> models, bool last)
    {
        var fresh = models[(bench.Scale.Models.LastOrDefault(count => count < models.Count))..];
        await bench.PredictAsync(Concurrency, bench.Photographs.Count); // so that only the models add to the growth
        var before = bench.Host.MemoryMb;
        var cold = await PostAsync(bench, i => fresh[i], 1, Math.Min(ColdOnes, fresh.Count));
        var warm = await PostAsync(bench, i => fresh[i], 1, Math.Min(ColdOnes, fresh.Count));
        await PostAsync(bench, i => fresh[i], Concurrency, fresh.Count);
        var grown = bench.Host.MemoryMb - before;

        var (one, all) = (new Measured(), new Measured());
        var random = new Random(models.Count);
        var order = Enumerable.Range(0, 2 * bench.Photographs.Count).Select(_ => models[random.Next(models.Count)]).ToArray();
        for (var round = 0; round < bench.Scale.Rounds; round++)
        {
            one.Add((await bench.PredictAsync(Concurrency, order.Length)).PerSecond);
            all.Add((await PostAsync(bench, i => order[i], Concurrency, order.Length)).PerSecond);
        }

        table.Row($"{models.Count:N0} models, of one model's rate", $"{all}", $"{one}", all.Median / one.Median, last ? ">= 0.9" : "");
        table.Row("   memory of the host, MiB (and for each new model)", $"{bench.Host.MemoryMb:0} ({grown / fresh.Count:0.00})", "", null,
            last ? "<= 1 each" : "");
        table.Row("   first answer of a cold model, ms (median), and its second", $"{Measured.Of(cold.Milliseconds):0.0}",
            $"{Measured.Of(warm.Milliseconds):0.0}",
            Measured.Of(cold.Milliseconds) / Measured.Of(warm.Milliseconds));
    }

    private static Task<Load> PostAsync(Bench bench, Func<int, Uri> target, int concurrency, int count) =>
        Load.ClosedAsync(bench.Client, target, i => bench.Photographs.Content(i, stamped: true), concurrency, count);

    private static async Task<string> CopyAsync(Bench bench, NpgsqlDataSource database, HeadArtifact template, int number)
    {
        var output = template.Head.Output;
        var bias = output.Bias.ToArray();
        bias[0] += 1e-4f * (number + 1); // a different head, and so a different blob
        var head = new Head(template.Head.Labels, new DenseLayer(output.Inputs, output.Weights.Span, bias), template.Head.Hidden,
            template.Head.Thresholds);
        var sha256 = await new FolderBlobStore(bench.Host.Blobs).PutAsync((template with { Head = head }).Write(), CancellationToken.None);

        var id = Guid.CreateVersion7();
        await using var command = database.CreateCommand(Copy);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Guid.Parse(Path.GetFileName(bench.Model)) });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Guid.CreateVersion7() });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $@"\x{Convert.ToHexStringLower(sha256)}" });
        await command.ExecuteNonQueryAsync();
        return $"/api/v1/models/{id}";
    }
}
