using System.Globalization;
using System.IO.Compression;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Headstart.Learning.Native;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Uploads;
using NetVips;

namespace Headstart.Tests.Processes;

/// <summary>The memory of a process of its own. <c>-- promises</c> in Headstart.Benchmarks imports ten thousand images and predicts a
/// thousand.</summary>
public sealed class MemoryTests(MemoryTests.Small small) : IClassFixture<MemoryTests.Small>
{
    private const int Predicted = 500, Imported = 1_000;

    [Fact]
    public async Task Hundreds_of_predictions_leave_the_memory_where_it_was_after_a_hundred()
    {
        Needs.Time();
        var host = small.Program;
        var model = await host.Client.PetsAsync(6);
        await host.Client.TrainAsync(model);
        var number = 0;
        var photographs = Pets.Cats.Concat(Pets.Dogs).Select(Enlarged).ToArray();

        await PredictAsync(100);
        var before = await MemoryAsync(host);
        await PredictAsync(Predicted);
        var after = await MemoryAsync(host);

        // A decoded photograph is 0.6 MB: leaking one in ten predictions would show as 30 MB.
        Assert.True(after.Native - before.Native < 20_000, $"{before} kB became {after} kB");
        Assert.True(after.Managed - before.Managed < 20_000, $"{before} kB became {after} kB");

        async Task PredictAsync(int count)
        {
            for (var i = 0; i < count; i += 20)
            {
                // A byte behind the end of each makes it a file that was never seen, so that every one is decoded.
                using var form = Api.Form(null, photographs.Skip(i % 60).Take(20)
                    .Select(file => ("a.jpg", (byte[])[.. file, .. BitConverter.GetBytes(number++)])));
                var answers = (await (await host.Client.PostAsync($"{model}/predictions", form, Api.Cancel))
                    .JsonAsync())["predictions"]!.AsArray();
                Assert.All(answers, a => Assert.Null(a!["error"]));
            }
        }
    }

    [Fact]
    public async Task A_thousand_images_of_one_archive_are_imported_with_flat_memory_and_the_same_archive_again_stores_nothing()
    {
        Needs.Time();
        var program = small.Program;
        var model = await program.Client.NewModelAsync();
        var archive = Batches.Zip(CompressionLevel.NoCompression,
            Enumerable.Range(0, Imported).Select(i => ($"set/{(i % 2 == 0 ? "even" : "odd")}/{i}.png", Pictures.Tiny(i))));

        var (first, early, peak) = await WatchAsync(program, model, archive);
        Assert.Equal(("succeeded", Imported, Imported, 0, 0), Figures(first));
        Assert.Equal(Imported, await program.Client.CountAsync(model));
        var stored = Blobs(program);

        var (again, _, last) = await WatchAsync(program, model, archive);
        Assert.Equal(("succeeded", Imported, Imported, Imported, 0), Figures(again));
        Assert.Equal(Imported, await program.Client.CountAsync(model));
        Assert.Equal(stored, Blobs(program));

        // After a fifth of them everything is loaded, compiled and as large as it gets.
        Assert.True(Math.Max(peak, last) - early < 60_000, $"{early} kB became {peak} kB and {last} kB");
    }

    /// <summary>The most that the program had in memory during the first fifth, and during all of it, in kB.</summary>
    private static async Task<(JsonNode Import, long Early, long Peak)> WatchAsync(HostProcess program, string model, byte[] archive)
    {
        var (early, peak) = (0L, 0L);
        // by itself: it has too many files to be answered at once
        var import = await program.Client.StartImportAsync(model, Batches.Archive(archive));
        while ((string?)import["state"] is "queued" or "running")
        {
            peak = Math.Max(peak, program.ResidentKilobytes());
            early = (int)import["done"]! <= Imported / 5 ? peak : early;
            await Task.Delay(100, Api.Cancel);
            import = await program.Client.GetJsonAsync(UploadCalls.PathOf(model, import));
        }

        return (import, early, peak);
    }

    private static (string?, int, int, int, int) Figures(JsonNode import) =>
        ((string?)import["state"], (int)import["done"]!, (int)import["accepted"]!, (int)import["alreadyThere"]!, (int)import["rejected"]!);

    private static int Blobs(HostProcess program) =>
        Directory.GetFiles(Path.Combine(program.DataFolder, "blobs"), "*", SearchOption.AllDirectories).Length;

    /// <summary>In kB. The garbage collector takes memory from the system as it likes; what it has taken is not native, and what counts of
    /// it is what is alive.</summary>
    private static async Task<(long Native, long Managed)> MemoryAsync(HostProcess host)
    {
        var page = await host.Client.GetStringAsync("/metrics", Api.Cancel);
        return (host.ResidentKilobytes() - Sum("memory_committed_size"), Sum("heap_size"));

        long Sum(string name)
        {
            var values = Regex.Matches(page, $@"\ndotnet_gc_last_collection_{name}_bytes(\{{[^}}]*\}})? (\d+)");
            Assert.NotEmpty(values);
            return values.Sum(value => long.Parse(value.Groups[2].ValueSpan, CultureInfo.InvariantCulture)) / 1_024;
        }
    }

    /// <summary>As large as photographs are, so that one that is not given back shows.</summary>
    private static byte[] Enlarged(string file)
    {
        VipsRuntime.EnsureLoaded();
        using var image = Image.Thumbnail(file, 600, height: 600);
        return image.JpegsaveBuffer();
    }

    /// <summary>A program whose memory of feature vectors is full long before the first hundred predictions.</summary>
    public sealed class Small : IAsyncLifetime
    {
        public HostProcess Program { get; } = new() { Environment = { ["Headstart__Predictions__FeatureCacheBytes"] = "1000000" } };

        public async ValueTask InitializeAsync()
        {
            if (Needs.HasTime)
            {
                await Program.StartAsync();
            }
        }

        public ValueTask DisposeAsync() => Program.DisposeAsync();
    }
}
