using System.Globalization;
using System.Text.RegularExpressions;
using Headstart.Learning.Native;
using NetVips;

namespace Headstart.Tests.Processes;

/// <summary>Runs alone: it looks at a process while others would slow it down.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
public sealed class MemoryCollection;

[Collection(nameof(MemoryTests))]
public sealed class MemoryTests
{
    [Fact]
    public async Task A_thousand_predictions_leave_the_memory_where_it_was_after_a_hundred()
    {
        // full long before the first hundred
        await using var host = new HostProcess { Environment = { ["Headstart__Predictions__FeatureCacheBytes"] = "1000000" } };
        await host.StartAsync();
        var model = await host.Client.PetsAsync(6);
        await host.Client.TrainAsync(model);
        var number = 0;
        var photographs = Pets.Cats.Concat(Pets.Dogs).Select(Enlarged).ToArray();

        await PredictAsync(100);
        var before = await MemoryAsync(host);
        await PredictAsync(1_000);
        var after = await MemoryAsync(host);

        // A decoded photograph is 0.6 MB: leaking one in ten predictions would show as 60 MB.
        Assert.True(after.Native - before.Native < 40_000, $"{before} kB became {after} kB");
        Assert.True(after.Managed - before.Managed < 40_000, $"{before} kB became {after} kB");

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
}
