using System.Text.Json.Nodes;
using Headstart.Benchmarks.Serving;
using NetVips;

namespace Headstart.Benchmarks.Nodes;

/// <summary>One run over 5,000 images with one worker and with two, each pinned to a core of its own. A web node and PostgreSQL run beside
/// them with little to do. The images are different crops of the public photographs.</summary>
internal static class Workers
{
    private const int Images = 5_000;
    private static readonly string[] Sets = ["cats_dogs", "hymenoptera/train", "clothing", "flowers"];

    public static async Task MeasureAsync(string shared)
    {
        await using var web = await HostProcess.StartAsync(shared, new() { ["Headstart__Roles"] = "web" });
        var model = await web.Client.UploadAsync(Cut(shared));
        await using var first = await web.JoinAsync(shared, "worker", core: 0);
        foreach (var backbone in (string?[])["mobilenetv2-1.0", null])
        {
            var alone = await TimeAsync(web, model, backbone);
            double together;
            await using (await web.JoinAsync(shared, "worker", core: 1))
            {
                await Task.Delay(TimeSpan.FromSeconds(5)); // until the workers have discovered each other
                together = await TimeAsync(web, model, backbone);
            }

            Console.WriteLine($"{Images} images, {backbone ?? "automatic choice"}: one worker {alone:0} s, two {together:0} s, ratio "
                + $"{together / alone:0.00} (required: at most 0.6)");
        }
    }

    private static async Task<double> TimeAsync(HostProcess web, string model, string? backbone)
    {
        await using var database = web.OpenDatabase();
        await using var forget = database.CreateCommand("TRUNCATE feature_vectors");
        await forget.ExecuteNonQueryAsync();
        // Removes the choice of an earlier run, which would be kept without comparing anything.
        await using var unknown = database.CreateCommand("UPDATE model_versions SET backbone = 'none'");
        await unknown.ExecuteNonQueryAsync();
        var run = await web.Client.TrainAsync(model, backbone is null ? [] : new JsonObject { ["backbone"] = backbone });
        return ((DateTime)run["finishedAt"]! - (DateTime)run["createdAt"]!).TotalSeconds;
    }

    private static IEnumerable<(string Category, byte[] File)> Cut(string shared)
    {
        var files = Sets.SelectMany(set => Directory.GetFiles(Path.Combine(shared, "datasets", set), "*.jp*g", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal).Select(file =>
                (Category: Path.GetFileName(Path.GetDirectoryName(file))!, Bytes: File.ReadAllBytes(file))).ToList();
        var random = new Random(5);
        for (var i = 0; i < Images; i++)
        {
            var (category, bytes) = files[i % files.Count];
            using var whole = Image.NewFromBuffer(bytes);
            var (width, height) = ((int)(whole.Width * (0.7 + 0.2 * random.NextDouble())),
                (int)(whole.Height * (0.7 + 0.2 * random.NextDouble())));
            using var part = whole.Crop(random.Next(whole.Width - width), random.Next(whole.Height - height), width, height);
            using var turned = random.Next(2) == 0 ? part.Flip(Enums.Direction.Horizontal) : part.Copy();
            yield return (category, turned.JpegsaveBuffer(q: 88));
        }
    }
}
