using Headstart.Blobs;
using Headstart.Configuration;
using Headstart.Errors;

namespace Headstart.Tests.Blobs;

public sealed class S3BlobStoreTests(S3Server server) : BlobStoreContract, IClassFixture<S3Server>, IDisposable
{
    private readonly S3Bucket _bucket = Open(server);
    private readonly string _prefix = $"{Guid.CreateVersion7():n}/";

    public void Dispose() => _bucket.Dispose();

    [Fact]
    public async Task A_bucket_that_is_not_there_and_keys_that_are_wrong_are_said_in_a_sentence()
    {
        var settings = server.Settings;
        settings.Bucket = "nobodys";
        Assert.Contains("has no bucket 'nobodys'", (await CheckAsync(settings)).Message, StringComparison.Ordinal);

        settings = server.Settings;
        settings.AccessKey = "nobody";
        var refused = await CheckAsync(settings);
        Assert.Contains("rejected the access key (InvalidAccessKeyId)", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(S3Server.Secret, refused.ToString(), StringComparison.Ordinal);
        Assert.False(refused.IsTransient);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_passing()
    {
        var settings = server.Settings;
        settings.Endpoint = "http://127.0.0.1:9";

        Assert.True((await CheckAsync(settings)).IsTransient);
    }

    [Fact]
    public async Task A_table_that_is_read_in_small_pieces_is_fetched_in_large_ones()
    {
        var fetched = new List<(long From, int Count)>();
        var bytes = new byte[10_000_000];
        Random.Shared.NextBytes(bytes);
        await using var stream = new BlockStream(bytes.Length, (from, count, _) =>
        {
            fetched.Add((from, count));
            return Task.FromResult(bytes[(int)from..((int)from + count)]);
        });
        using var copy = new MemoryStream();

        await stream.CopyToAsync(copy, 1_000, Api.Cancel);

        Assert.Equal(bytes, copy.ToArray());
        Assert.Equal([(0, 4 << 20), (4 << 20, 4 << 20), (8 << 20, 10_000_000 - (8 << 20))], fetched);
    }

    protected override IBlobStore Store(TimeSpan freshness) => new S3BlobStore(_bucket, _prefix, freshness, TimeProvider.System);

    protected override Task DamageAsync(byte[] sha256)
    {
        var name = Convert.ToHexStringLower(sha256);
        return _bucket.PutAsync($"{_prefix}sha256/{name[..2]}/{name}", new MemoryStream([1, 2, 3]), Api.Cancel);
    }

    private static S3Bucket Open(S3Server server)
    {
        S3Server.Needed();
        return S3Bucket.Open(server.Settings);
    }

    private static async Task<BlobStoreUnavailableException> CheckAsync(S3Settings settings)
    {
        using var bucket = S3Bucket.Open(settings);
        return await Assert.ThrowsAsync<BlobStoreUnavailableException>(() => bucket.CheckAsync("", Api.Cancel));
    }
}
