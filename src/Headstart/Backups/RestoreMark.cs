namespace Headstart.Backups;

/// <summary>A file in the data folder that says which backup is being restored into it.</summary>
internal sealed class RestoreMark(string dataFolder, string backup)
{
    private const string Name = "restoring";
    private readonly string _path = Path.Combine(dataFolder, Name);

    /// <exception cref="StartupException">A restore into the data folder did not finish.</exception>
    public static void RefuseHalf(string dataFolder)
    {
        if (File.Exists(Path.Combine(dataFolder, Name)))
        {
            throw new StartupException($"A restore into the data folder '{dataFolder}' did not finish; repeat it, or start with an empty "
                + "folder.");
        }
    }

    /// <returns>Whether an unfinished restore of the same backup continues.</returns>
    /// <exception cref="StartupException">The data folder contains something else.</exception>
    public bool Check()
    {
        if (!Directory.Exists(dataFolder))
        {
            return false;
        }

        if (File.Exists(_path))
        {
            return File.ReadAllText(_path) == backup ? true
                : throw new StartupException($"A restore of another backup into the data folder '{dataFolder}' did not finish; repeat "
                    + "that one, or set Headstart:DataDirectory to an empty folder.");
        }

        return Directory.EnumerateFileSystemEntries(dataFolder).All(entry => Path.GetFileName(entry) is DataFolder.LockFile or "lost+found")
            ? false
            : throw new StartupException($"The data folder '{dataFolder}' is not empty, so nothing was restored; set "
                + "Headstart:DataDirectory to an empty folder.");
    }

    public void Set()
    {
        Directory.CreateDirectory(dataFolder);
        DataFolder.WritePrivate(_path, backup);
    }

    public void Remove() => File.Delete(_path);
}
