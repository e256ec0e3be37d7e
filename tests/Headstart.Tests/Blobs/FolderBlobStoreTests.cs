using Headstart.Blobs;
using Headstart.Tests.Postgres;

namespace Headstart.Tests.Blobs;

public sealed class FolderBlobStoreTests : BlobStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_a_put_left_that_died_is_deleted_and_what_is_being_put_is_not()
    {
        var store = Store(TimeSpan.FromHours(1));
        await store.PutAsync(new byte[10], Api.Cancel);
        var file = Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Single();
        await File.WriteAllBytesAsync(file + ".old.part", [1], Api.Cancel);
        File.SetLastWriteTimeUtc(file + ".old.part", DateTime.UnixEpoch);
        await File.WriteAllBytesAsync(file + ".new.part", [1], Api.Cancel);

        await store.DeleteHalvesAsync(DateTime.UnixEpoch.AddDays(1), Api.Cancel);

        Assert.Equal([file, file + ".new.part"], Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Order());
        Assert.Single(await store.ListAsync(BlobPlace.Kept, Api.Cancel).ToListAsync(Api.Cancel));
    }

    [Fact]
    public async Task What_was_damaged_is_whole_when_it_is_put_again()
    {
        var (store, bytes) = (Store(TimeSpan.FromHours(1)), new byte[100]);
        await store.PutAsync(bytes, Api.Cancel);
        var file = Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Single();
        await File.WriteAllBytesAsync(file, [.. bytes[1..], 1], Api.Cancel); // of the same length

        Assert.Equal(bytes, await store.GetAsync(await store.PutAsync(bytes, Api.Cancel), Api.Cancel));
    }

    protected override IBlobStore Store(TimeSpan freshness) => new FolderBlobStore(_folder.Path, freshness);

    protected override Task DamageAsync(byte[] sha256)
    {
        var name = Convert.ToHexStringLower(sha256);
        return File.WriteAllTextAsync(_folder.Below("sha256", name[..2], name), "something else", Api.Cancel);
    }
}
