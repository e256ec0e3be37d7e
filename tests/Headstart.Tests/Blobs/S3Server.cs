using System.Diagnostics;
using Headstart.Blobs;
using Headstart.Configuration;
using Headstart.Postgres;
using Headstart.Tests.Postgres;
using Headstart.Tests.Processes;

namespace Headstart.Tests.Blobs;

/// <summary>An S3 server of the tests' own (s3rver, from npm), with one bucket. It can be broken and mended.</summary>
public sealed class S3Server : IAsyncLifetime
{
    public const string Bucket = "headstart";
    public const string Secret = "a-secret-that-nobody-may-see"; // s3rver looks at the other key only

    private static readonly string[] Programs = ["node", "npm"];
    private readonly TemporaryFolder _folder = new();
    private Process? _process;

    public int Port { get; } = Enumerable.Range(0, 200).Select(_ => Random.Shared.Next(10_000, 20_000)).First(LocalPostgresPort.IsFree);

    public bool Runs => _process is not null;

    public string Address => $"http://127.0.0.1:{Port}";

    public S3Settings Settings => new() { Endpoint = Address, Bucket = Bucket, AccessKey = "S3RVER", SecretKey = Secret };

    /// <summary>The same for a process.</summary>
    public Dictionary<string, string> Environment => new()
    {
        ["Headstart__Blobs__S3__Endpoint"] = Address,
        ["Headstart__Blobs__S3__Bucket"] = Bucket,
        ["Headstart__Blobs__S3__AccessKey"] = "S3RVER",
        ["Headstart__Blobs__S3__SecretKey"] = Secret,
        ["Headstart__Blobs__S3__Prefix"] = "ours/",
    };

    /// <summary>Skips the test where there is no Node with npm; then this server does not run.</summary>
    public static void Needed() => Needs.Programs(Programs);

    private string Data => _folder.Below("data");

    public async ValueTask InitializeAsync() => await StartAsync();

    public async Task StartAsync()
    {
        if (!Programs.All(Needs.Has))
        {
            return;
        }

        var packages = await NpmFolder.InstalledAsync(Repository.PathOf("tests", "Headstart.Tests", "Blobs", "S3Server"), "s3rver-3.7.1");
        _process = Process.Start(new ProcessStartInfo("node",
        [
            "--openssl-legacy-provider", // s3rver makes its continuation tokens with an old cipher
            Path.Combine(packages, "server.mjs"), Data, $"{Port}", Bucket,
        ]))!;
        using var http = new HttpClient();
        for (var looks = 0; ; looks++)
        {
            Assert.False(_process.HasExited, "s3rver ended while it started.");
            try
            {
                using var answer = await http.GetAsync(Address);
                return;
            }
            catch (HttpRequestException) when (looks < 600)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>From here on it answers 500.</summary>
    public Task BreakAsync() => File.WriteAllTextAsync(Data + ".broken", "", Api.Cancel);

    public void Mend() => File.Delete(Data + ".broken");

    /// <summary>Keys of all objects that begin with this.</summary>
    public async Task<List<string>> KeysAsync(string prefix)
    {
        using var bucket = S3Bucket.Open(Settings);
        return await bucket.ListAsync(prefix, Api.Cancel).Select(found => found.Key).ToListAsync(Api.Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
            _process.Dispose();
        }

        _folder.Dispose();
    }
}
