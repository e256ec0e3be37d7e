using Headstart.Learning.Backbones;

namespace Headstart.Learning.Tests.Backbones;

[Collection(Alone.Name)]
public sealed class ExtractionMemoryTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_stays_flat_over_many_extractions()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);
        var files = await Task.WhenAll(SharedData.Photographs("cats_dogs").Select(path => File.ReadAllBytesAsync(path, Cancel)));
        Task Extract(int count) => FeatureExtraction.ExtractAsync(backbone, count, (i, _) => Task.FromResult(files[i % files.Length]),
            (_, _) => { }, (_, refusal) => Assert.Fail(refusal.Detail), Cancel);

        await Extract(100);
        var before = Memory.Resident();
        await Extract(300);
        var growth = Memory.Resident() - before;

        // One leaked input (600 kB) or decoded photograph an image would be more than 170 MiB.
        Assert.True(growth < 60 * Memory.MiB, $"300 images left {growth / Memory.MiB} MiB behind.");
    }
}
