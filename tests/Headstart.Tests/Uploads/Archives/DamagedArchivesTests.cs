using Headstart.Configuration;
using Headstart.Data;
using Headstart.Errors;
using Headstart.Tests.BatchPredictions;
using Headstart.Uploads.Bodies;
using Headstart.Uploads.Files;

namespace Headstart.Tests.Uploads.Archives;

public sealed class DamagedArchivesTests
{
    private static readonly UploadSettings Limits = new() { MaxZipFiles = 100, MaxFileBytes = 1 << 20, MaxUnpackedBytes = 1 << 22 };

    /// <summary>Any damage is a refusal or an entry with a reason; nothing is thrown.</summary>
    [Fact]
    public async Task Damage_anywhere_in_an_archive_is_an_answer()
    {
        Needs.Time();
        var random = new Random(1);
        var whole = Batches.Zip(System.IO.Compression.CompressionLevel.Optimal,
            Enumerable.Range(0, 5).Select(i => ($"folder/{i}.jpg", Pictures.Png(i))));
        var outcomes = new HashSet<string>();
        for (var round = 0; round < 3_000; round++)
        {
            var damaged = whole.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
            {
                // Mostly in the directory at the end, where the structure is.
                damaged[random.Next(3) == 0 ? random.Next(damaged.Length) : damaged.Length - 1 - random.Next(400)] = (byte)random.Next(256);
            }

            var files = await ReadAsync(damaged);
            outcomes.Add(files is null ? "refused" : files.Any(f => f.Unusable is not null) ? "partly" : "read");
        }

        Assert.Equal(["partly", "read", "refused"], outcomes.Order());
    }

    /// <returns>null where the archive is refused; then its stream is closed as well.</returns>
    private static async Task<List<UploadedFile>?> ReadAsync(byte[] bytes)
    {
        using var stream = new MemoryStream(bytes);
        try
        {
            using var body = await UploadBody.OpenAsync("application/zip", stream, ModelKind.ImageClassification, [], Limits, Api.Cancel);
            return await body.ReadAsync(0, 0, Api.Cancel).ToListAsync(Api.Cancel);
        }
        catch (RefusedException)
        {
            Assert.False(stream.CanRead);
            return null;
        }
    }
}
