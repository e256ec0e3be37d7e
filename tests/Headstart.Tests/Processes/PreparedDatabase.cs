using System.Diagnostics;

namespace Headstart.Tests.Processes;

/// <summary>
/// The database that the first start of the program leaves behind, made once and copied: initdb and the migrations take longer than most of
/// what is tested afterwards. What a first start does is tested by StartAndStopTests.
/// </summary>
internal static class PreparedDatabase
{
    private static readonly string[] Parts = ["postgres", "postgres.password"];
    private static readonly Lazy<Task<HostProcess>> Made = new(MakeAsync);

    /// <summary>Puts a copy into the data folder of a program that has not been started yet.</summary>
    public static async Task CopyToAsync(HostProcess program)
    {
        var made = await Made.Value;
        using var waiting = Waits.For("a copy of the prepared database");
        Directory.CreateDirectory(program.DataFolder);
        LetPass(program.Folder.Path);
        foreach (var part in Parts)
        {
            await CopyAsync(Path.Combine(made.DataFolder, part), program.DataFolder);
        }
    }

    private static async Task<HostProcess> MakeAsync()
    {
        var program = new HostProcess { FromNothing = true };
        AppDomain.CurrentDomain.ProcessExit += (_, _) => program.Folder.Dispose();
        LetPass(program.Folder.Path);
        await program.StartAsync();
        program.Interrupt();
        Assert.Equal(0, await program.ExitAsync());
        File.Delete(Path.Combine(program.DataFolder, "postgres", "port")); // or all copies would want the same one
        return program;
    }

    /// <summary>Temporary folders are closed to the account of the database where tests run as root, and the program would put it somewhere
    /// else.</summary>
    private static void LetPass(string folder)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute);
        }
    }

    private static async Task CopyAsync(string from, string into)
    {
        using var copy = Process.Start("cp", ["-a", from, into]); // keeps owners and rights, which PostgreSQL looks at
        await copy.WaitForExitAsync(Api.Cancel);
        Assert.Equal(0, copy.ExitCode);
    }
}
