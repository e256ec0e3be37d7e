using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Headstart.Postgres;

/// <summary>A PostgreSQL cluster on disk and its server. Keeps no state: every answer is read from files and processes, so it is correct
/// after any crash.</summary>
public sealed partial class LocalPostgresCluster(string folder, PostgresBinaries binaries, PostgresAccount account, bool fsync)
{
    public const string Superuser = "headstart";
    private const string Unfinished = "initdb-";
    private const long LargestLog = 8 << 20;
    private readonly string _cluster = ClusterIn(folder);

    public string LogFile { get; } = Path.Combine(folder, "postgres.log");

    public bool Exists => Directory.Exists(_cluster);

    private string PidFile => Path.Combine(_cluster, "postmaster.pid");

    /// <summary>The version that made the cluster in this folder; null if there is none.</summary>
    public static int? MajorIn(string folder)
    {
        var file = Path.Combine(ClusterIn(folder), "PG_VERSION");
        return File.Exists(file) && int.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var major) ? major : null;
    }

    /// <summary>Creates it in another folder and renames that last: dying before leaves only a folder that the next start
    /// removes.</summary>
    public async Task CreateAsync(string password, CancellationToken cancel)
    {
        foreach (var leftover in Directory.EnumerateDirectories(folder, Unfinished + "*"))
        {
            Directory.Delete(leftover, recursive: true);
        }

        var aside = Directory.CreateDirectory(Path.Combine(folder, Unfinished + Guid.CreateVersion7().ToString("n"))).FullName;
        var passwordFile = Path.Combine(aside, "password");
        var made = Path.Combine(aside, "cluster");
        DataFolder.WritePrivate(passwordFile, password);
        await account.OwnAsync(aside, cancel);
        string[] arguments = [
            "-D", made, "-U", Superuser, "--pwfile", passwordFile, "--auth", "scram-sha-256",
            "--encoding", "UTF8", "--locale", "C", .. fsync ? Array.Empty<string>() : ["--no-sync"]];
        var (exitCode, output) = await account.RunAsync(binaries.Initdb, arguments, cancel);
        if (exitCode != 0)
        {
            throw new StartupException($"The local database could not be created: {LastLine(output)}."
                + (output.Contains("effective user ID", StringComparison.Ordinal)
                    ? " PostgreSQL runs only as a user listed in /etc/passwd: start Headstart as such a user, or set "
                        + "ConnectionStrings:Headstart to a running database."
                    : ""));
        }

        await File.AppendAllTextAsync(Path.Combine(made, "postgresql.conf"), "\ninclude 'headstart.conf'\n", cancel);
        Directory.Move(made, _cluster);
        Directory.Delete(aside, recursive: true);
    }

    /// <summary>Settings for a small machine; written before every start, so that a newer Headstart may change them.</summary>
    public void Configure(int port) => File.WriteAllText(Path.Combine(_cluster, "headstart.conf"), $"""
        # Written by Headstart at every start. Put your own settings at the end of postgresql.conf.
        listen_addresses = '127.0.0.1'
        port = {port}
        unix_socket_directories = ''
        max_connections = 100
        shared_buffers = 128MB
        max_wal_size = 512MB
        max_parallel_workers_per_gather = 0
        jit = off
        timezone = 'UTC'
        log_timezone = 'UTC'
        lc_messages = 'C'
        logging_collector = off
        log_destination = 'stderr'
        fsync = {(fsync ? "on" : "off")}
        full_page_writes = {(fsync ? "on" : "off")}

        """);

    /// <summary>Starts the server and waits until it accepts connections; false if it does not within a minute, see
    /// <see cref="Reason"/>. A cancelled start leaves no server behind.</summary>
    public async Task<bool> StartAsync(CancellationToken cancel)
    {
        // The process it names is gone or another program's. PostgreSQL waits for processes of a killed server that still use the cluster
        // because of their shared memory, not because of this file.
        File.Delete(PidFile);

        // Never kill pg_ctl: it may just have started a server that no file names yet. It starts the server in its own session, so a Ctrl-C
        // in the host's terminal does not reach it.
        var start = account.RunAsync(
            binaries.PgCtl, ["start", "-D", _cluster, "-l", LogFile, "-w", "-t", "60", "-s"], CancellationToken.None);
        while (await Task.WhenAny(start, Task.Delay(200, CancellationToken.None)) != start)
        {
            if (cancel.IsCancellationRequested)
            {
                await StopAsync();
            }
        }

        if (cancel.IsCancellationRequested)
        {
            await StopAsync();
            cancel.ThrowIfCancellationRequested();
        }

        return (await start).ExitCode == 0;
    }

    /// <summary>Stops the cluster's server, even one that a killed host left running, and waits for its process to end: pg_ctl waits only
    /// for the lock file to disappear, which happens a moment earlier.</summary>
    public async Task StopAsync()
    {
        if (ServerId() is not { } server)
        {
            return;
        }

        foreach (var mode in new[] { "fast", "immediate" })
        {
            if (IsRunning())
            {
                await account.RunAsync(
                    binaries.PgCtl, ["stop", "-D", _cluster, "-m", mode, "-w", "-t", "10", "-s"], CancellationToken.None);
            }
        }

        for (var looks = 0; looks < 500 && IsServer(server); looks++)
        {
            await Task.Delay(20, CancellationToken.None);
        }
    }

    /// <summary>Whether the process named by the cluster's lock file is alive and is this cluster's server. After a crash or reboot the
    /// number may belong to any program, even another PostgreSQL.</summary>
    public bool IsRunning() => ServerId() is not null;

    /// <summary>The server's last complaint, in one line.</summary>
    public string Reason()
    {
        var lines = File.Exists(LogFile) ? File.ReadLines(LogFile).TakeLast(20).ToList() : [];
        var complaint = lines.LastOrDefault(line => Complaint().IsMatch(line)) ?? lines.LastOrDefault() ?? "it wrote no log";
        return Complaint().Replace(complaint, "").Trim().TrimEnd('.');
    }

    /// <summary>Keeps the log and its predecessor. The server appends to the log, so it can be truncated while the server runs.</summary>
    public void TrimLog(long limit = LargestLog)
    {
        var log = new FileInfo(LogFile);
        if (log.Exists && log.Length > limit)
        {
            log.CopyTo(LogFile + ".1", overwrite: true);
            using var stream = log.Open(FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            stream.SetLength(0);
        }
    }

    private static string ClusterIn(string folder) => Path.Combine(folder, "cluster");

    private static string LastLine(string text) => text.Split('\n')[^1].Trim().TrimEnd('.');

    private int? ServerId()
    {
        try
        {
            return File.ReadLines(PidFile).FirstOrDefault() is { } line
                && int.TryParse(line, CultureInfo.InvariantCulture, out var pid)
                && IsServer(pid) ? pid : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private bool IsServer(int pid)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Array.Exists(Process.GetProcessesByName("postgres"), process => process.Id == pid);
        }

        try
        {
            // Empty for a zombie: a killed server becomes one in a container whose first process reaps no children.
            return File.ReadAllText($"/proc/{pid}/cmdline").Split('\0').Contains(_cluster);
        }
        catch (IOException)
        {
            return false; // no such process, or it ended between opening and reading
        }
    }

    [GeneratedRegex(@"^.*?\b(FATAL|PANIC|ERROR):\s*")]
    private static partial Regex Complaint();
}
