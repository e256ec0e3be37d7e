using System.Collections.Concurrent;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Tests.Backbones;

public sealed class FeatureExtractionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_image_is_stored_once_or_failed_once()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);
        var flower = SharedData.OddFile("flower.webp");
        var truncated = SharedData.OddFile("truncated_image.png");
        var (stored, failed) = (new ConcurrentQueue<(int Index, float[] Features)>(), new ConcurrentQueue<(int Index, string Reason)>());

        await FeatureExtraction.ExtractAsync(backbone, 40, (i, _) => Task.FromResult(i % 10 == 3 ? truncated : flower),
            (i, features) => stored.Enqueue((i, features)), (i, refusal) => failed.Enqueue((i, refusal.Reason)), Cancel);

        Assert.Equal([(3, "damaged"), (13, "damaged"), (23, "damaged"), (33, "damaged")], failed.Order());
        Assert.Equal(Enumerable.Range(0, 40).Where(i => i % 10 != 3), stored.Select(image => image.Index).Order());
        var alone = new float[backbone.Manifest.Preprocessing.Length];
        ImageReader.Preprocess(flower, backbone.Manifest.Preprocessing, alone);
        Assert.All(stored, image => Assert.Equal(backbone.Extract(alone, 1)[0], image.Features));
    }

    [Fact]
    public async Task Nothing_to_do_ends_at_once()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);

        await FeatureExtraction.ExtractAsync(backbone, 0, (_, _) => throw new InvalidOperationException(),
            (_, _) => Assert.Fail(), (_, _) => Assert.Fail(), Cancel);
    }

    [Fact]
    public async Task What_loading_or_storing_throws_ends_the_extraction()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);
        var flower = SharedData.OddFile("flower.webp");

        await Assert.ThrowsAsync<FileNotFoundException>(() => FeatureExtraction.ExtractAsync(backbone, 1000,
            (i, _) => i == 20 ? throw new FileNotFoundException() : Task.FromResult(flower), (_, _) => { }, (_, _) => { }, Cancel));
        await Assert.ThrowsAsync<InvalidDataException>(() => FeatureExtraction.ExtractAsync(backbone, 1000,
            (_, _) => Task.FromResult(flower), (_, _) => throw new InvalidDataException(), (_, _) => { }, Cancel));
    }

    [Fact]
    public async Task Cancelling_ends_it_soon()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var flower = SharedData.OddFile("flower.webp");
        var stored = 0;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FeatureExtraction.ExtractAsync(backbone, 100_000,
            (_, _) => Task.FromResult(flower), (_, _) =>
            {
                if (Interlocked.Increment(ref stored) == 10)
                {
                    cancel.Cancel();
                }
            },
            (_, _) => { }, cancel.Token));

        Assert.InRange(stored, 10, 10 + Environment.ProcessorCount);
    }

    [Fact]
    public async Task A_slow_consumer_keeps_only_a_few_files_in_memory()
    {
        using var backbone = Backbone.Open(SharedData.Smallest(), threads: 1);
        var flower = SharedData.OddFile("flower.webp");
        var (loaded, stored, ahead) = (0, 0, 0);

        await FeatureExtraction.ExtractAsync(backbone, 100, (_, _) =>
            {
                ahead = Math.Max(ahead, Interlocked.Increment(ref loaded) - Volatile.Read(ref stored));
                return Task.FromResult(flower);
            },
            (_, _) => Interlocked.Increment(ref stored), (_, _) => { }, Cancel);

        Assert.InRange(ahead, 1, 10 * Environment.ProcessorCount);
    }
}
