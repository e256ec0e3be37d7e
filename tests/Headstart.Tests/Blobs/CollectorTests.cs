using Headstart.Blobs;
using Headstart.Tests.Backbones;
using Headstart.Tests.Postgres;
using Microsoft.Extensions.DependencyInjection;

namespace Headstart.Tests.Blobs;

public sealed class FolderCollectorTests(FolderCollectorTests.Host host) : CollectorContract(host), IClassFixture<FolderCollectorTests.Host>
{
    [Fact]
    public async Task The_blobs_of_another_installation_are_left_alone()
    {
        var (collector, owner) = (host.Services.GetRequiredService<BlobCollector>(), Path.Combine(host.DataFolder, "blobs", "owner"));
        await collector.CollectAsync(Api.Cancel);
        var own = await File.ReadAllTextAsync(owner, Api.Cancel);
        await File.WriteAllTextAsync(owner, "somebody else", Api.Cancel);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => collector.CollectAsync(Api.Cancel));

        Assert.Contains("belongs to installation somebody else", refusal.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(owner, own, Api.Cancel);
    }

    public sealed class Host(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:Blobs:GraceHours", GraceHours), ("Headstart:Blobs:Collect", "false")];
    }
}

/// <summary>Without anybody who asks for it.</summary>
public sealed class BlobCollectionTests(BlobCollectionTests.Host host) : IClassFixture<BlobCollectionTests.Host>
{
    [Fact]
    public async Task A_worker_collects_by_itself()
    {
        var blobs = host.Services.GetRequiredService<IBlobStore>();
        await blobs.PutAsync([1, 2, 3], Api.Cancel);

        while (await blobs.ListAsync(BlobPlace.Kept, Api.Cancel).AnyAsync(Api.Cancel) || await blobs.ListAsync(BlobPlace.Aside, Api.Cancel)
            .AnyAsync(Api.Cancel))
        {
            await Task.Delay(100, Api.Cancel);
        }
    }

    public sealed class Host(TestPostgres postgres) : TestHost(postgres)
    {
        protected override IEnumerable<(string Name, string Value)> Settings =>
            [.. base.Settings, ("Headstart:Blobs:GraceHours", "0.0002"), ("Headstart:Blobs:CollectEveryHours", "0.0002")];
    }
}

public sealed class S3CollectorTests : CollectorContract, IClassFixture<S3CollectorTests.Host>
{
    public S3CollectorTests(Host host)
        : base(host) => S3Server.Needed();

    public sealed class Host(TestPostgres postgres) : TestHost(postgres), IAsyncLifetime
    {
        private readonly S3Server _server = new();

        protected override IEnumerable<(string Name, string Value)> Settings =>
        [
            .. base.Settings, .. _server.Environment.Select(setting =>
                (setting.Key.Replace("__", ":", StringComparison.Ordinal), setting.Value)),
            ("Headstart:Blobs:GraceHours", GraceHours), ("Headstart:Blobs:Collect", "false"),
        ];

        public new async ValueTask InitializeAsync()
        {
            await _server.StartAsync();
            if (_server.Runs)
            {
                await base.InitializeAsync();
            }
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await _server.DisposeAsync();
        }
    }
}
