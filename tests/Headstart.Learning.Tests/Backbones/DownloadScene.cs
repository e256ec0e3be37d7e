using System.Collections.Concurrent;
using System.Security.Cryptography;
using Headstart.Learning.Backbones;
using Headstart.Learning.Imaging;

namespace Headstart.Learning.Tests.Backbones;

/// <summary>
/// What tests of downloads share: a file, its catalogue entry, settings that do not wait between attempts. A stall is long enough that
/// a busy machine never takes itself for one; the tests of stalls shorten it.
/// </summary>
internal static class DownloadScene
{
    public static readonly byte[] Content = RandomNumberGenerator.GetBytes(300_000);

    public static readonly DownloadSettings Impatient = new()
    {
        Stall = TimeSpan.FromSeconds(30),
        Retries = 3,
        RetryDelay = TimeSpan.FromMilliseconds(5),
        LongestDelay = TimeSpan.FromMilliseconds(50),
    };

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static string Sha256 => Convert.ToHexStringLower(SHA256.HashData(Content));

    public static async Task ArrivesAsync(LoopbackServer server, TestFolder folder)
    {
        var file = await new BackboneDownload(Impatient).FetchAsync(Entry(server.Address), folder.Path, cancel: Cancel);
        Assert.Equal(Content, await File.ReadAllBytesAsync(file.Path, Cancel));
    }

    public static async Task FailsAsync(LoopbackServer server, TestFolder folder, string because, DownloadSettings? settings = null)
    {
        var exception = await Assert.ThrowsAsync<BackboneException>(() =>
            new BackboneDownload(settings ?? Impatient).FetchAsync(Entry(server.Address), folder.Path, cancel: Cancel));

        Assert.StartsWith("The backbone 'tiny' could not be downloaded: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(because, exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("tiny.onnx")));
    }

    public static CatalogueEntry Entry(Uri? address) => new(new BackboneManifest
    {
        Id = "tiny",
        Features = 1,
        Preprocessing = new Preprocessing(8, [0, 0, 0], [1, 1, 1]),
        Source = "test",
        Licence = "MIT",
        Sha256 = Sha256,
        Bytes = Content.Length,
    }, address);

    public sealed class Recorder : IProgress<(long Done, long Total)>
    {
        public ConcurrentQueue<(long Done, long Total)> Values { get; } = [];

        public void Report((long Done, long Total) value) => Values.Enqueue(value);
    }
}
