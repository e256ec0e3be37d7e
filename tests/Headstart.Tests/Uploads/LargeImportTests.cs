using System.Diagnostics;
using System.IO.Compression;
using Headstart.Tests.BatchPredictions;
using Headstart.Tests.Operations;
using Headstart.Tests.Processes;

namespace Headstart.Tests.Uploads;

/// <summary>Looks at the memory of a process, so nothing else may run beside it. <c>-- promises</c> in Headstart.Benchmarks imports ten
/// thousand.</summary>
[Collection(Alone.Name)]
public sealed class LargeImportTests
{
    private const int Images = 1_000;

    [Fact]
    public async Task A_thousand_images_of_one_archive_are_imported_with_flat_memory_and_the_same_archive_again_stores_nothing()
    {
        await using var program = new HostProcess();
        await program.StartAsync();
        var model = await program.Client.NewModelAsync();
        var archive = Archive(Images);

        var (first, early, peak) = await WatchAsync(program, model, archive);
        Assert.Equal(("succeeded", Images, Images, 0, 0), Figures(first));
        Assert.Equal(Images, await program.Client.CountAsync(model));
        var stored = Blobs(program);

        var (again, _, last) = await WatchAsync(program, model, archive);
        Assert.Equal(("succeeded", Images, Images, Images, 0), Figures(again));
        Assert.Equal(Images, await program.Client.CountAsync(model));
        Assert.Equal(stored, Blobs(program));

        // After a fifth of them everything is loaded, compiled and as large as it gets.
        Assert.True(Math.Max(peak, last) - early < 60_000, $"{early} kB became {peak} kB and {last} kB");
    }

    private static byte[] Archive(int count) => Batches.Zip(CompressionLevel.NoCompression,
        Enumerable.Range(0, count).Select(i => ($"set/{(i % 2 == 0 ? "even" : "odd")}/{i}.png", Pictures.Tiny(i))));

    /// <summary>The most that the program had in memory during the first fifth, and during all of it.</summary>
    private static async Task<(System.Text.Json.Nodes.JsonNode Import, long Early, long Peak)> WatchAsync(HostProcess program, string model,
        byte[] archive)
    {
        var (early, peak, watch) = (0L, 0L, Stopwatch.StartNew());
        // by itself: it has too many files to be answered at once
        var import = await program.Client.StartImportAsync(model, Batches.Archive(archive));
        while ((string?)import["state"] is "queued" or "running")
        {
            peak = Math.Max(peak, program.ResidentKilobytes());
            early = (int)import["done"]! <= Images / 5 ? peak : early;
            await Task.Delay(100, Api.Cancel);
            import = await program.Client.GetJsonAsync(UploadCalls.PathOf(model, import));
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{archive.Length:N0} bytes in {watch.Elapsed.TotalSeconds:0.0} s; {early:N0} kB became {peak:N0} kB");
        return (import, early, peak);
    }

    private static (string?, int, int, int, int) Figures(System.Text.Json.Nodes.JsonNode import) =>
        ((string?)import["state"], (int)import["done"]!, (int)import["accepted"]!, (int)import["alreadyThere"]!, (int)import["rejected"]!);

    private static int Blobs(HostProcess program) =>
        Directory.GetFiles(Path.Combine(program.DataFolder, "blobs"), "*", SearchOption.AllDirectories).Length;
}
