using System.Threading.Channels;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Backbones;

/// <summary>Extracts the features of many files on all cores.</summary>
public static class FeatureExtraction
{
    /// <summary>Files that each worker loads in advance, so that slow storage leaves no core idle.</summary>
    private const int LoadAhead = 4;

    /// <summary>
    /// Loads, decodes and forwards <paramref name="count"/> images, with one worker per core. Each takes an image from bytes to features by
    /// itself: while one decodes, another forwards, and no core waits for a batch to fill. Networks of this size gain nothing from batches
    /// on a CPU (see Headstart.Benchmarks). Memory is limited to a few files per core.
    /// </summary>
    /// <param name="backbone">The backbone; best opened with one thread, because the workers already use all cores.</param>
    /// <param name="count">Number of images.</param>
    /// <param name="load">Returns the bytes of image i; called from several threads. Its exceptions end the extraction.</param>
    /// <param name="store">Receives the features <c>[d]</c> of image i; called once per image, from any thread, in any order.</param>
    /// <param name="fail">Called instead of <paramref name="store"/> for a file that cannot be read.</param>
    /// <param name="cancel">Ends the work after the current images.</param>
    /// <param name="giveWay">Called by each worker before each image; may block while the cores are needed elsewhere.</param>
    public static async Task ExtractAsync(Backbone backbone, int count, Func<int, CancellationToken, Task<byte[]>> load,
        Action<int, float[]> store, Action<int, ImageRefusal> fail, CancellationToken cancel, Action<CancellationToken>? giveWay = null)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        var workers = Math.Max(1, Math.Min(Environment.ProcessorCount, count));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var files = Channel.CreateBounded<(int Index, byte[] Bytes)>(LoadAhead * workers);
        var tasks = Enumerable.Range(0, workers)
            .Select(_ => OnOwnThread(() => Work(backbone, files.Reader, store, fail, giveWay, stop.Token), stop.Token))
            .Prepend(LoadAsync(count, LoadAhead * workers, load, files.Writer, stop.Token))
            .ToList();
        await foreach (var task in Task.WhenEach(tasks))
        {
            if (!task.IsCompletedSuccessfully)
            {
                await stop.CancelAsync(); // one failed, so the others can stop
            }
        }

        cancel.ThrowIfCancellationRequested();
        // The failure itself, not the cancellations that followed.
        await (tasks.Find(task => task.IsFaulted) ?? Task.WhenAll(tasks));
    }

    private static async Task LoadAsync(int count, int parallel, Func<int, CancellationToken, Task<byte[]>> load,
        ChannelWriter<(int, byte[])> files, CancellationToken cancel)
    {
        try
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancel };
            await Parallel.ForAsync(0, count, options, async (i, token) => await files.WriteAsync((i, await load(i, token)), token));
        }
        finally
        {
            files.Complete();
        }
    }

    private static void Work(Backbone backbone, ChannelReader<(int Index, byte[] Bytes)> files,
        Action<int, float[]> store, Action<int, ImageRefusal> fail, Action<CancellationToken>? giveWay, CancellationToken cancel)
    {
        var p = backbone.Manifest.Preprocessing;
        var input = new float[p.Length];
        while (files.WaitToReadAsync(cancel).AsTask().GetAwaiter().GetResult())
        {
            while (!cancel.IsCancellationRequested && files.TryRead(out var file))
            {
                giveWay?.Invoke(cancel);
                try
                {
                    ImageReader.Preprocess(file.Bytes, p, input);
                }
                catch (ImageRefusedException refused)
                {
                    fail(file.Index, refused.Refusal);
                    continue;
                }

                store(file.Index, backbone.Extract(input, 1)[0]);
            }
        }
    }

    /// <summary>Runs on its own thread, so that the pool's threads stay free for requests.</summary>
    private static Task OnOwnThread(Action work, CancellationToken cancel) => Task.Factory.StartNew(work, cancel,
        TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
}
