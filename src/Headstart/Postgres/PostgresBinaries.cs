using System.ComponentModel;
using System.Globalization;
using System.Text.RegularExpressions;
using MysticMind.PostgresEmbed;

namespace Headstart.Postgres;

/// <summary>A folder with PostgreSQL's programs that the account can run.</summary>
public sealed partial record PostgresBinaries(string Folder, int Major)
{
    private const int OldestMajor = 13;
    private const int DownloadedMajor = 17;
    private static readonly string[] Needed = ["initdb", "pg_ctl", "postgres"];
    private static readonly TimeSpan DownloadLimit = TimeSpan.FromMinutes(5);

    public string Initdb => Program(Folder, "initdb");

    public string PgCtl => Program(Folder, "pg_ctl");

    /// <summary>The usual folders of an installed PostgreSQL, best first.</summary>
    public static IEnumerable<string> UsualPlaces()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Concat(
            OperatingSystem.IsWindows() ? Versions(@"C:\Program Files\PostgreSQL", "*", "bin")
            : OperatingSystem.IsMacOS() ? [
                .. Versions("/opt/homebrew/opt", "postgresql@*", "bin"),
                .. Versions("/usr/local/opt", "postgresql@*", "bin"),
                .. Versions("/Applications/Postgres.app/Contents/Versions", "*", "bin"),
                .. Versions("/Library/PostgreSQL", "*", "bin"),
                "/usr/local/pgsql/bin"]
            : [
                .. Versions("/usr/lib/postgresql", "*", "bin"),
                .. Versions("/usr", "pgsql-*", "bin"),
                .. Versions("/usr/libexec", "postgresql*", ""),
                "/usr/local/pgsql/bin"]);
    }

    /// <summary>Finds or downloads PostgreSQL. <paramref name="clusterMajor"/> is the version that made the existing cluster: only the same
    /// major version can open it.</summary>
    public static async Task<PostgresBinaries> FindAsync(
        LocalPostgresOptions options, IEnumerable<string> places, string downloads, int? clusterMajor,
        PostgresAccount account, ILogger log, CancellationToken cancel)
    {
        if (!string.IsNullOrWhiteSpace(options.BinariesDirectory))
        {
            places = [options.BinariesDirectory, Path.Combine(options.BinariesDirectory, "bin")];
        }

        var others = new SortedSet<int>();
        foreach (var folder in places.Concat(Versions(downloads, "postgres-*", "bin")))
        {
            var major = await MajorAsync(folder, account, cancel);
            if (major >= OldestMajor && major == (clusterMajor ?? major))
            {
                return new PostgresBinaries(folder, major.Value);
            }

            others.UnionWith(major is { } other ? [other] : []);
        }

        var missing = Missing(options, clusterMajor, others);
        return options.Download && string.IsNullOrWhiteSpace(options.BinariesDirectory)
            ? await DownloadAsync(options, downloads, clusterMajor, missing, account, log, cancel)
            : throw new StartupException($"{missing}; {Advice(clusterMajor)}");
    }

    private static async Task<PostgresBinaries> DownloadAsync(
        LocalPostgresOptions options, string downloads, int? clusterMajor, string missing,
        PostgresAccount account, ILogger log, CancellationToken cancel)
    {
        using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(10) });
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(DownloadLimit);
        var version = (clusterMajor ?? DownloadedMajor).ToString(CultureInfo.InvariantCulture);
        Log.Downloading(log, version, downloads);
        try
        {
            // The archive is checked against its published SHA-256 and unpacked next to its final place: dying here leaves nothing half
            // done.
            var server = new PgServer(new PgServerOptions
            {
                PgVersion = version,
                BinariesDir = downloads,
                DbDir = downloads,
                MavenRepo = options.DownloadFrom?.ToString().TrimEnd('/') ?? PgServerOptions.DefaultMavenRepo,
                DownloadRetryCount = 1,
                HttpClient = http,
            });
            await server.InstallAsync(limit.Token);
            await account.OwnAsync(downloads, cancel);
            var folder = Path.Combine(server.InstallDir, "bin");
            return new PostgresBinaries(folder, await MajorAsync(folder, account, cancel) ?? throw new IOException("it does not run on "
                + "this machine"));
        }
        catch (Exception e) when (e is PostgresEmbedException or UnsupportedPlatformException or HttpRequestException or IOException
            or UnauthorizedAccessException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            var reason = e is OperationCanceledException ? "it took too long" : e.Message.Split('\n')[0].Trim().TrimEnd('.');
            throw new StartupException($"{missing}, and the download failed ({reason}); {Advice(clusterMajor)}", e);
        }
    }

    /// <summary>The major version; null if the folder has no PostgreSQL or the account cannot run it.</summary>
    private static async Task<int?> MajorAsync(string folder, PostgresAccount account, CancellationToken cancel)
    {
        if (!Array.TrueForAll(Needed, name => File.Exists(Program(folder, name))))
        {
            return null;
        }

        try
        {
            var (exitCode, output) = await account.RunAsync(Program(folder, "postgres"), ["--version"], cancel);
            return exitCode == 0 && MajorVersion().Match(output) is { Success: true } match
                ? int.Parse(match.ValueSpan, CultureInfo.InvariantCulture)
                : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static string Missing(LocalPostgresOptions options, int? clusterMajor, SortedSet<int> others)
    {
        var wanted = clusterMajor is { } major
            ? $"PostgreSQL {major}, which created the local database,"
            : $"PostgreSQL {OldestMajor} or newer";
        var where = string.IsNullOrWhiteSpace(options.BinariesDirectory)
            ? ""
            : $" in '{options.BinariesDirectory}' (Headstart:Postgres:BinariesDirectory)";
        var instead = others.Count > 0 ? $", only {string.Join(", ", others)}" : "";
        return $"{wanted} was not found{where}{instead}";
    }

    private static string Advice(int? clusterMajor) =>
        $"install PostgreSQL{(clusterMajor is { } major ? $" {major}" : "")} (on Debian and Ubuntu the package is " +
        $"postgresql{(clusterMajor is { } number ? $"-{number}" : "")}), set Headstart:Postgres:BinariesDirectory to the folder with its " +
        "programs, or set ConnectionStrings:Headstart to a running database.";

    private static string Program(string folder, string name) => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name);

    /// <summary>Folders like <c>/usr/lib/postgresql/*/bin</c>, highest version first.</summary>
    private static IEnumerable<string> Versions(string parent, string pattern, string below) =>
        !Directory.Exists(parent) ? [] : Directory.EnumerateDirectories(parent, pattern)
            .Where(folder => !folder.EndsWith(".tmp", StringComparison.Ordinal)) // left by a host that was killed while unpacking
            .OrderByDescending(folder => int.TryParse(
                MajorVersion().Match(Path.GetFileName(folder)).ValueSpan, CultureInfo.InvariantCulture, out var version) ? version : 0)
            .Select(folder => Path.Combine(folder, below));

    [GeneratedRegex(@"\d+")]
    private static partial Regex MajorVersion();

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "No PostgreSQL found on this machine: downloading version {Major} to {Folder} (once).")]
        public static partial void Downloading(ILogger log, string major, string folder);
    }
}
