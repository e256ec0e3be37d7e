using System.IO.Compression;
using System.Security.Cryptography;
using Headstart.Blobs;

namespace Headstart.Tests.Blobs;

/// <summary>What every blob store keeps to.</summary>
public abstract class BlobStoreContract
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    /// <summary>A store on an empty place of its own; the same place each time for one test.</summary>
    /// <param name="freshness">Puts leave a blob alone that is younger.</param>
    protected abstract IBlobStore Store(TimeSpan freshness);

    /// <summary>Writes something else under the name of a blob.</summary>
    protected abstract Task DamageAsync(byte[] sha256);

    [Fact]
    public async Task What_is_put_is_there_byte_for_byte_and_once()
    {
        var (store, bytes) = (Store(Long), Random(100_000));

        var names = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            i % 2 == 0 ? store.PutAsync(bytes, Api.Cancel) : store.PutAsync(new MemoryStream(bytes), Api.Cancel)));

        Assert.All(names, name => Assert.Equal(SHA256.HashData(bytes), name));
        Assert.Equal(bytes, await store.GetAsync(names[0], Api.Cancel));
        Assert.Single(await NamesAsync(store, BlobPlace.Kept));
    }

    [Fact]
    public async Task An_empty_blob_is_one_too()
    {
        var store = Store(Long);

        Assert.Empty((await store.GetAsync(await store.PutAsync(Array.Empty<byte>(), Api.Cancel), Api.Cancel))!);
    }

    [Fact]
    public async Task What_is_missing_or_damaged_is_null_and_a_missing_one_may_be_deleted()
    {
        var (store, name) = (Store(Long), SHA256.HashData(Random(10)));
        Assert.Null(await store.GetAsync(name, Api.Cancel));
        Assert.Null(await store.OpenAsync(name, Api.Cancel));
        await store.DeleteAsync(name, Api.Cancel);

        var put = await store.PutAsync(Random(1_000), Api.Cancel);
        await DamageAsync(put);

        Assert.Null(await store.GetAsync(put, Api.Cancel));
        await store.DeleteAsync(put, Api.Cancel);
        Assert.Null(await store.OpenAsync(put, Api.Cancel));
    }

    [Fact]
    public async Task An_archive_of_many_megabytes_is_read_from_any_place_of_its_stream()
    {
        var store = Store(Long);
        var files = Enumerable.Range(0, 6).Select(_ => Random(4_000_000)).ToList();
        var zip = new MemoryStream();
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (i, file) in files.Index())
            {
                await using var entry = archive.CreateEntry($"{i}", CompressionLevel.NoCompression).Open();
                await entry.WriteAsync(file, Api.Cancel);
            }
        }

        await using var stream = (await store.OpenAsync(await store.PutAsync(zip, Api.Cancel), Api.Cancel))!;
        Assert.Equal(zip.Length, stream.Length);
        using var read = new ZipArchive(stream);
        foreach (var i in (int[])[5, 0, 3, 3])
        {
            using var copy = new MemoryStream();
            await using var entry = read.GetEntry($"{i}")!.Open();
            await entry.CopyToAsync(copy, Api.Cancel);
            Assert.Equal(files[i], copy.ToArray());
        }

        stream.Position = stream.Length + 5;
        Assert.Equal(0, await stream.ReadAsync(new byte[10], Api.Cancel));
    }

    [Fact]
    public async Task A_body_larger_than_one_request_takes_is_whole_as_well()
    {
        var (store, bytes) = (Store(Long), Random(70 << 20));

        var name = await store.PutAsync(new MemoryStream(bytes), Api.Cancel);

        Assert.Equal(SHA256.HashData(bytes), name);
        Assert.True((await store.GetAsync(name, Api.Cancel))!.AsSpan().SequenceEqual(bytes));
    }

    [Fact]
    public async Task More_blobs_than_one_answer_lists_are_all_listed()
    {
        Needs.Time();
        var store = Store(Long);
        await Parallel.ForAsync(0, 1_100, Api.Cancel, async (i, token) => await store.PutAsync(BitConverter.GetBytes(i), token));

        var names = await NamesAsync(store, BlobPlace.Kept);

        Assert.Equal(1_100, names.Count);
        Assert.Equal(Enumerable.Range(0, 1_100).Select(i => Convert.ToHexStringLower(SHA256.HashData(BitConverter.GetBytes(i)))).Order(),
            names.Order());
    }

    [Fact]
    public async Task Reading_brings_back_what_lies_aside()
    {
        var (store, bytes) = (Store(Long), Random(1_000));
        var name = await store.PutAsync(bytes, Api.Cancel);
        await store.SetAsideAsync(name, Api.Cancel);
        Assert.Empty(await NamesAsync(store, BlobPlace.Kept));
        Assert.Single(await NamesAsync(store, BlobPlace.Aside));

        var read = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => store.GetAsync(name, Api.Cancel)));

        Assert.All(read, found => Assert.Equal(bytes, found));
        Assert.Single(await NamesAsync(store, BlobPlace.Kept));
        await store.SetAsideAsync(name, Api.Cancel);
        await using var stream = await store.OpenAsync(name, Api.Cancel);
        Assert.Equal(bytes.Length, stream!.Length);
        Assert.Single(await NamesAsync(store, BlobPlace.Kept));
    }

    [Fact]
    public async Task A_put_of_what_lies_aside_is_kept_whatever_happens_to_that()
    {
        var (store, bytes) = (Store(Long), Random(1_000));
        var name = await store.PutAsync(bytes, Api.Cancel);
        await store.SetAsideAsync(name, Api.Cancel);

        await store.PutAsync(bytes, Api.Cancel);
        await store.EraseAsync(name, Api.Cancel);

        Assert.Empty(await NamesAsync(store, BlobPlace.Aside));
        Assert.Equal(bytes, await store.GetAsync(name, Api.Cancel));
        await store.SetAsideAsync(name, Api.Cancel);
        await store.BringBackAsync(name, Api.Cancel);
        Assert.Empty(await NamesAsync(store, BlobPlace.Aside));
        await store.SetAsideAsync(name, Api.Cancel);
        await store.EraseAsync(name, Api.Cancel);
        Assert.Null(await store.GetAsync(name, Api.Cancel));
    }

    [Fact]
    public async Task A_put_renews_the_time_of_what_is_there_unless_that_is_fresh()
    {
        var bytes = Random(1_000);
        await Store(Long).PutAsync(bytes, Api.Cancel);
        var first = Assert.Single(await Store(Long).ListAsync(BlobPlace.Kept, Api.Cancel).ToListAsync(Api.Cancel)).At;
        await Task.Delay(1_100, Api.Cancel); // the store's clock may count in seconds
        await Store(Long).PutAsync(bytes, Api.Cancel);
        Assert.Equal(first, Assert.Single(await Store(Long).ListAsync(BlobPlace.Kept, Api.Cancel).ToListAsync(Api.Cancel)).At);

        await Store(TimeSpan.FromMilliseconds(1)).PutAsync(bytes, Api.Cancel);

        Assert.True(Assert.Single(await Store(Long).ListAsync(BlobPlace.Kept, Api.Cancel).ToListAsync(Api.Cancel)).At > first);
    }

    [Fact]
    public async Task A_store_belongs_to_the_installation_that_asked_first_and_that_is_no_blob()
    {
        var store = Store(Long);

        Assert.Equal("one", await store.OwnerAsync("one", Api.Cancel));
        Assert.Equal("one", await store.OwnerAsync("two", Api.Cancel));
        Assert.Empty(await NamesAsync(store, BlobPlace.Kept));
    }

    private static byte[] Random(int length) => RandomNumberGenerator.GetBytes(length);

    private static Task<List<string>> NamesAsync(IBlobStore store, BlobPlace place) =>
        store.ListAsync(place, Api.Cancel).Select(blob => Convert.ToHexStringLower(blob.Sha256)).ToListAsync(Api.Cancel).AsTask();
}
