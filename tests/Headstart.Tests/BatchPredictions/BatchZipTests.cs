using Headstart.BatchPredictions;
using Headstart.Errors;
using Headstart.Tests.Postgres;
using Headstart.Tests.Uploads;
using Headstart.Uploads.Files;

namespace Headstart.Tests.BatchPredictions;

public sealed class BatchZipTests
{
    private static readonly ZipLimits Limits = new(100, 1 << 20, 1 << 22);

    [Fact]
    public async Task The_folder_of_a_file_is_known()
    {
        var files = await ReadAsync(Batches.Zip(("cats/a.jpg", [1]), ("pets/dogs/b.jpg", [2]), ("c.jpg", [3])));
        Assert.Equal(["cats", "dogs", null], files!.Select(f => f.Categories?.Single()));
        Assert.Equal([1, 2, 3], files!.Select(f => f.Bytes!.Single()));
    }

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

    /// <returns>null where the archive is refused.</returns>
    private static async Task<List<UploadedFile>?> ReadAsync(byte[] bytes)
    {
        using var folder = new TemporaryFolder();
        await using var zip = await BatchZip.SpoolAsync(new MemoryStream(bytes), folder.Path, Limits, Api.Cancel);
        Assert.Empty(Directory.GetFiles(folder.Path));
        try
        {
            return await zip.ReadAsync(Api.Cancel).ToListAsync(Api.Cancel);
        }
        catch (RefusedException)
        {
            return null;
        }
    }
}
