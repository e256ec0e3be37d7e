using System.Diagnostics;
using System.Net.Http.Headers;
using Npgsql;

namespace Headstart.Benchmarks.Serving;

/// <summary>The real host, the Release build of this checkout, as a separate process on a data folder that is deleted with it.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    /// <summary>The default, set explicitly because a bound is computed from it.</summary>
    public const int MaxWaiting = 64;

    private const string Key = "hs_benchmark_0123456789abcdefghijkl";
    private const string AddressLine = "Address";

    private readonly ServerProcess _process;
    private readonly string _folder;

    private HostProcess(ServerProcess process, string folder, Uri address)
    {
        (_process, _folder) = (process, folder);
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false })
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromMinutes(10),
        };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
    }

    public HttpClient Client { get; }

    public string Blobs => Path.Combine(_folder, "blobs");

    /// <summary>Physical memory of the host without its PostgreSQL, in MiB.</summary>
    public double MemoryMb => _process.MemoryMb;

    /// <summary>CPU seconds of the host without its PostgreSQL.</summary>
    public double CpuSeconds => _process.CpuSeconds;

    /// <param name="shared">Folder that contains the backbones.</param>
    /// <param name="settings">Settings that extend or replace those of all hosts here.</param>
    public static Task<HostProcess> StartAsync(string shared, Dictionary<string, string>? settings = null) =>
        StartAsync(shared, Directory.CreateTempSubdirectory("headstart-benchmark-").FullName, settings ?? [], core: null);

    /// <summary>Starts another node on this one's database and blobs.</summary>
    /// <param name="shared">Folder that contains the backbones.</param>
    /// <param name="roles">web, worker or both.</param>
    /// <param name="core">The only core it may use; null for all.</param>
    /// <param name="address">Address to listen on; null for any free port.</param>
    public Task<HostProcess> JoinAsync(string shared, string roles, int? core = null, Uri? address = null)
    {
        var folder = Directory.CreateTempSubdirectory("headstart-benchmark-").FullName;
        foreach (var place in (string[])["blobs", "imports"])
        {
            Directory.CreateSymbolicLink(Path.Combine(folder, place), Directory.CreateDirectory(Path.Combine(_folder, place)).FullName);
        }

        return StartAsync(shared, folder, new()
        {
            ["ConnectionStrings__Headstart"] = DatabaseAddress,
            ["Headstart__Roles"] = roles,
            ["ASPNETCORE_URLS"] = address?.GetLeftPart(UriPartial.Authority) ?? "http://127.0.0.1:0",
        }, core);
    }

    /// <summary>A client with the same key at another address, such as that of a proxy.</summary>
    public HttpClient ClientAt(Uri address)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false })
        {
            BaseAddress = address,
            Timeout = Client.Timeout
        };
        client.DefaultRequestHeaders.Authorization = Client.DefaultRequestHeaders.Authorization;
        return client;
    }

    /// <summary>Kills it, as a power cut would.</summary>
    public async Task KillAsync()
    {
        await _process.KillAsync();
        await DisposeAsync();
    }

    private static async Task<HostProcess> StartAsync(string shared, string folder, Dictionary<string, string> settings, int? core)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute); // for PostgreSQL's account
        }

        Dictionary<string, string> environment = new()
        {
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Headstart__DataDirectory"] = folder,
            ["Headstart__BootstrapKey"] = Key,
            ["Headstart__Backbones__Directories"] = Path.Combine(shared, "backbones"),
            ["Headstart__Backbones__Download"] = "false",
            ["Headstart__Backbones__EightBit"] = "false",
            ["Headstart__Predictions__MaxWaiting"] = MaxWaiting.ToString(),
            ["Logging__LogLevel__Default"] = "Warning",
        };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        var process = core is null ? ServerProcess.Start(Program, [], environment)
            : ServerProcess.Start("taskset", ["-c", $"{core}", Program], environment);
        try
        {
            var line = await process.LineAsync(text => text.TrimStart().StartsWith(AddressLine, StringComparison.Ordinal));
            return new(process, folder, new Uri(line.Trim()[AddressLine.Length..].Trim()));
        }
        catch
        {
            await process.DisposeAsync();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>The host's own database, for operations that the API lacks.</summary>
    public NpgsqlDataSource OpenDatabase() => NpgsqlDataSource.Create(DatabaseAddress);

    private string DatabaseAddress => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = int.Parse(File.ReadAllText(Path.Combine(_folder, "postgres", "port"))),
        Database = "headstart",
        Username = "headstart",
        Password = File.ReadAllText(Path.Combine(_folder, "postgres.password")).Trim(),
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The host as built with this project, in a folder beside its own.</summary>
    private static string Program => Path.GetFullPath(
        Path.Combine(AppContext.BaseDirectory, "..", "..", "Headstart",
        Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Headstart"));
}
