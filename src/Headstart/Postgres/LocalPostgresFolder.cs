namespace Headstart.Postgres;

/// <summary>The folder of everything PostgreSQL itself reads and writes: <c>postgres</c> in the data folder, if it can get there.</summary>
public static partial class LocalPostgresFolder
{
    private const string Elsewhere = "/var/lib/headstart";

    /// <summary>Its path without symbolic links, made and owned by the account.</summary>
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

    /// <summary>Lets other accounts pass through the data folder, which is ours; the folders above it are not.</summary>
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

    /// <summary>The name is random, so that an emptied data folder means a new database. Dying before the link is made leaves an
    /// empty folder behind, and the next start makes another.</summary>
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

        Directory.CreateDirectory(Path.GetDirectoryName(folder)!); // with the usual rights: the account must pass it
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information,
            "The account {Account}, which runs the local database, cannot reach {Path}; storing the database in {Folder} instead.")]
        public static partial void KeptElsewhere(ILogger log, string? account, string path, string folder);
    }
}
