namespace Headstart.Postgres;

/// <summary>The folder of all files of PostgreSQL itself: <c>postgres</c> in the data folder, if its account can reach that.</summary>
public static partial class LocalPostgresFolder
{
    private const string Elsewhere = "/var/lib/headstart";

    /// <summary>Returns its path without symbolic links; creates it and makes the account its owner.</summary>
    public static async Task<string> PrepareAsync(DataFolder data, PostgresAccount account, ILogger log, CancellationToken cancel)
    {
        var path = Path.Combine(data.Path, "postgres");
        if (new DirectoryInfo(path).LinkTarget is { } target && !Directory.Exists(path))
        {
            throw new StartupException(
                $"The local database is in '{target}', which no longer exists; restore it, or delete the link '{path}' to start empty.");
        }

        MakePrivate(path);
        var folder = DataFolder.RealPath(path);
        await account.OwnAsync(folder, cancel);
        if (await account.CanUseAsync(folder, cancel) || await OpenAsync(data, folder, account, cancel))
        {
            return folder;
        }

        if (Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new StartupException(
                $"The account '{account.Name}', which runs the local database, cannot reach '{folder}'; " +
                "give it execute permission on the folders above, or set Headstart:DataDirectory to another folder.");
        }

        return await MoveElsewhereAsync(path, account, log, cancel);
    }

    /// <summary>Lets other accounts pass through the data folder, which belongs to us, unlike the folders above it.</summary>
    private static async Task<bool> OpenAsync(DataFolder data, string folder, PostgresAccount account, CancellationToken cancel)
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }

        var mode = File.GetUnixFileMode(data.Path);
        File.SetUnixFileMode(data.Path, mode | UnixFileMode.OtherExecute);
        if (await account.CanUseAsync(folder, cancel))
        {
            return true;
        }

        File.SetUnixFileMode(data.Path, mode);
        return false;
    }

    /// <summary>The name is random, so that an emptied data folder gets a new database. Dying before the link is created leaves an empty
    /// folder behind, and the next start creates another.</summary>
    private static async Task<string> MoveElsewhereAsync(string path, PostgresAccount account, ILogger log, CancellationToken cancel)
    {
        var folder = Path.Combine(Elsewhere, Guid.CreateVersion7().ToString("n"));
        MakePrivate(folder);
        await account.OwnAsync(folder, cancel);
        Directory.Delete(path);
        Directory.CreateSymbolicLink(path, folder);
        Log.KeptElsewhere(log, account.Name, path, folder);
        return DataFolder.RealPath(folder);
    }

    private static void MakePrivate(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(folder)!); // with default rights, because the account must pass through it
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information,
            "The account {Account}, which runs the local database, cannot reach {Path}; storing the database in {Folder} instead.")]
        public static partial void KeptElsewhere(ILogger log, string? account, string path, string folder);
    }
}
