using System.Diagnostics;

namespace Headstart.Postgres;

/// <summary>The account that runs PostgreSQL's programs. PostgreSQL refuses root, so a host running as root uses another one.</summary>
public sealed class PostgresAccount
{
    // The host's environment may contain keys and passwords, which must not leak into another account's processes.
    private static readonly string[] KeptVariables =
        ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot", "SystemDrive", "TEMP", "TMP"];

    private static readonly string[] Unprivileged = ["postgres", "nobody"];

    private PostgresAccount(string? name) => Name = name;

    /// <summary>null for the host's own account.</summary>
    public string? Name { get; }

    public static PostgresAccount Current()
    {
        // On Windows, pg_ctl and initdb drop an administrator's rights themselves.
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            return new PostgresAccount(null);
        }

        var known = File.ReadLines("/etc/passwd").Select(line => line.Split(':')[0]).ToHashSet();
        return new PostgresAccount(Array.Find(Unprivileged, known.Contains) ?? throw new StartupException(
            "PostgreSQL refuses to run as root, and there is no account 'postgres' or 'nobody' to run it; " +
            "run Headstart as an ordinary user, or set ConnectionStrings:Headstart to a running database."));
    }

    /// <summary>Makes this account the owner of everything in the folder, which root may have created.</summary>
    public async Task OwnAsync(string folder, CancellationToken cancel)
    {
        if (Name is null)
        {
            return;
        }

        var result = await new PostgresAccount(null).RunAsync("chown", ["-R", Name + ":", folder], cancel);
        if (result.ExitCode != 0)
        {
            throw new IOException(result.Output);
        }
    }

    /// <summary>Whether this account can write to the folder and pass through every folder above it.</summary>
    public async Task<bool> CanUseAsync(string folder, CancellationToken cancel) =>
        Name is null || (await RunAsync("test", ["-w", folder], cancel)).ExitCode == 0;

    /// <summary>Runs a program to its end; kills it when cancelled.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancel)
    {
        using var process = Process.Start(StartInfo(program, arguments))!;
        process.StandardInput.Close();
        var output = Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(CancellationToken.None),
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

        // On Windows the server inherits these pipes from pg_ctl, so they stay open until it ends.
        await Task.WhenAny(output, Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None));
        return (process.ExitCode, output.IsCompletedSuccessfully ? string.Concat(await output).Trim() : "");
    }

    private ProcessStartInfo StartInfo(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UserName = Name ?? "",
            WorkingDirectory = Path.GetPathRoot(AppContext.BaseDirectory), // the account may not enter the host's own
            CreateNoWindow = true, // on Windows, also protects it from a Ctrl-C meant for the host
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Except(KeptVariables, StringComparer.OrdinalIgnoreCase).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["LC_ALL"] = "C"; // because we parse messages in English
        return start;
    }
}
