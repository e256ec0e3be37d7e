using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Headstart.Postgres;

/// <summary>PostgreSQL's programs for backups, in a version that suits the server.</summary>
public sealed class PostgresTools
{
    // Npgsql falls back to the system's certificate authorities, libpq does not.
    private static readonly string[] SystemAuthorities =
        ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

    private readonly string _folder;
    private readonly NpgsqlConnectionStringBuilder _database;
    private readonly (string? Host, int Port, string Database) _at;

    private PostgresTools(string folder, NpgsqlConnectionStringBuilder database, NpgsqlConnection server) =>
        (_folder, _database, _at) = (folder, database, (server.Host, server.Port, server.Database));

    /// <summary>Looks for the server's version, then for newer ones: an older <c>pg_dump</c> refuses to work.</summary>
    /// <param name="server">Open. The programs use this one of several servers, because the others do not have its snapshot.</param>
    /// <param name="database">Address and login.</param>
    /// <param name="options">Where to look.</param>
    /// <exception cref="StartupException">Not found; the message says what to install.</exception>
    public static async Task<PostgresTools> FindAsync(NpgsqlConnection server, DatabaseAddress database, LocalPostgresOptions options,
        CancellationToken cancel)
    {
        var major = server.PostgreSqlVersion.Major;
        var folders = PostgresBinaries.UsualPlaces();
        if (!string.IsNullOrWhiteSpace(options.BinariesDirectory))
        {
            folders = [options.BinariesDirectory, Path.Combine(options.BinariesDirectory, "bin")];
        }

        var found = new List<(string Folder, int Major)>();
        foreach (var folder in folders.Where(folder => File.Exists(Program(folder, "pg_dump"))
            && File.Exists(Program(folder, "pg_restore"))))
        {
            if (await MajorAsync(folder, cancel) is { } its && its >= major)
            {
                found.Add((folder, its));
            }
        }

        return found.Count > 0 ? new(found.MinBy(its => its.Major).Folder, new(database.ConnectionString), server)
            : throw new StartupException(
            $"pg_dump and pg_restore {major} (the database's version) were not found; install PostgreSQL's client programs (on Debian and "
                + $"Ubuntu the package is postgresql-client-{major}), or set Headstart:Postgres:BinariesDirectory to the folder that has "
                + "them.");
    }

    /// <summary>Dumps the database as of a snapshot to a file, without the job queue, which is rebuilt from the rows.</summary>
    /// <exception cref="StartupException">pg_dump failed; the message has its reason.</exception>
    public Task DumpAsync(string snapshot, string file, CancellationToken cancel) => RunAsync(
        "pg_dump", ["--format=custom", "--no-owner", "--no-privileges", "--exclude-schema=hangfire", $"--snapshot={snapshot}",
        $"--file={file}"], cancel);

    /// <summary>Fills an empty database completely or not at all.</summary>
    /// <exception cref="StartupException">pg_restore failed; the message has its reason.</exception>
    public Task RestoreAsync(string file, CancellationToken cancel) => RunAsync(
        "pg_restore", ["--single-transaction", "--no-owner", "--no-privileges",
        $"--dbname=dbname='{Quoted(_at.Database)}'", file], cancel);

    private static string Quoted(string name) =>
        name.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("'", @"\'", StringComparison.Ordinal);

    private async Task RunAsync(string name, IEnumerable<string> arguments, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(Program(_folder, name), [.. arguments, "--no-password"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true
        };
        foreach (var (variable, value) in Variables().Where(variable => variable.Value is not null))
        {
            start.Environment[variable] = value; // not arguments: other users could read those
        }

        foreach (var elsewhere in (string[])["PGHOSTADDR", "PGSERVICE", "PGTARGETSESSIONATTRS"])
        {
            start.Environment.Remove(elsewhere); // the address has what Npgsql reads of these
        }

        var (exitCode, _, error) = await RunAsync(start, cancel);
        if (exitCode != 0)
        {
            throw new StartupException($"{name} exited with code {exitCode}: {error.Trim().Split('\n')[0].TrimEnd('.')}.");
        }
    }

    /// <summary>Npgsql's connection string as libpq's variables; both take what it lacks from the environment.</summary>
    private IEnumerable<(string Name, string? Value)> Variables() =>
    [
        ("PGHOST", _at.Host), ("PGPORT", _at.Port.ToString(CultureInfo.InvariantCulture)), ("PGDATABASE", _at.Database),
            ("PGOPTIONS", _database.Options),
        ("PGUSER", _database.Username), ("PGPASSWORD", _database.Password), ("PGPASSFILE", _database.Passfile),
        ("PGSSLMODE", _database.SslMode switch { SslMode.VerifyCA => "verify-ca", SslMode.VerifyFull => "verify-full", var mode =>
            mode.ToString().ToLowerInvariant() }),
        ("PGSSLROOTCERT", _database.RootCertificate
            ?? (_database.SslMode is SslMode.VerifyCA or SslMode.VerifyFull ? Array.Find(SystemAuthorities, File.Exists) : null)),
        ("PGSSLCERT", _database.SslCertificate), ("PGSSLKEY", _database.SslKey),
        ("PGCHANNELBINDING", _database.ChannelBinding.ToString().ToLowerInvariant()),
        ("PGSSLNEGOTIATION", _database.SslNegotiation.ToString().ToLowerInvariant()), ("PGKRBSRVNAME", _database.KerberosServiceName),
        ("PGGSSENCMODE", _database.GssEncryptionMode.ToString().ToLowerInvariant()), ("PGAPPNAME", "Headstart"), ("LC_ALL", "C"),
    ];

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(ProcessStartInfo start, CancellationToken cancel)
    {
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(CancellationToken.None),
            process.StandardError.ReadToEndAsync(CancellationToken.None));
        try
        {
            await process.WaitForExitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output, await error);
    }

    private static async Task<int?> MajorAsync(string folder, CancellationToken cancel)
    {
        try
        {
            var (exitCode, output, _) = await RunAsync(
                new(Program(folder, "pg_dump"), ["--version"]) { RedirectStandardError = true, RedirectStandardOutput = true }, cancel);
            var digits = output.SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(char.IsAsciiDigit).ToArray();
            return exitCode == 0 && int.TryParse(digits, CultureInfo.InvariantCulture, out var major) ? major : null;
        }
        catch (Win32Exception)
        {
            return null; // built for another processor
        }
    }

    private static string Program(string folder, string name) => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name);
}
