using System.Security.Cryptography;

namespace Headstart.Disk;

/// <summary>The folder of the host's persistent files. Only one host at a time may hold it.</summary>
public sealed class DataFolder : IDisposable
{
    internal const string LockFile = "headstart.lock";

    // ERROR_SHARING_VIOLATION, EWOULDBLOCK on macOS and on Linux.
    private static readonly int InUse = OperatingSystem.IsWindows() ? unchecked((int)0x80070020) : OperatingSystem.IsMacOS() ? 35 : 11;

    private readonly FileStream _lock;

    private DataFolder(string path, FileStream @lock) => (Path, _lock) = (path, @lock);

    /// <summary>Absolute and without symbolic links, so that it can be compared with paths that other processes report.</summary>
    public string Path { get; }

    public static DataFolder Open(string path)
    {
        try
        {
            var full = RealPath(Directory.CreateDirectory(ExpandHome(path)).FullName);
            return new DataFolder(full, Lock(full));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new StartupException(
                $"The data folder '{path}' cannot be used ({e.Message.TrimEnd('.')}); " +
                "make it and everything in it writable for this account, or set Headstart:DataDirectory to another folder.", e);
        }
    }

    /// <summary>Whether a host is using the folder.</summary>
    public static bool IsInUse(string path)
    {
        try
        {
            using var free = new FileStream(System.IO.Path.Combine(path, LockFile), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException e) when (e.HResult == InUse)
        {
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    /// <summary>The absolute path of a data folder, without creating or locking it.</summary>
    public static string Resolve(string path) => System.IO.Path.GetFullPath(ExpandHome(path));

    /// <summary>The content of a file that only the host's account can read; created with a random content if it does not exist.</summary>
    public string Secret(string name)
    {
        var file = System.IO.Path.Combine(Path, name);
        if (!File.Exists(file))
        {
            // The rename makes the secret appear whole or not at all, and it is on disk before anything is protected with it.
            WritePrivate(file + ".new", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)));
            File.Move(file + ".new", file, overwrite: true);
        }

        return File.ReadAllText(file).Trim();
    }

    /// <summary>Releases the lock, as the operating system does when the process is killed. The file stays, because removing it would be a
    /// race.</summary>
    public void Dispose() => _lock.Dispose();

    internal static void WritePrivate(string file, string content)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var stream = new FileStream(file, options);
        stream.Write(System.Text.Encoding.UTF8.GetBytes(content));
        stream.Flush(flushToDisk: true);
    }

    /// <summary>The path of an existing folder without symbolic links in any of its parts.</summary>
    internal static string RealPath(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        var root = System.IO.Path.GetPathRoot(full)!;
        return full[root.Length..]
            .Split(System.IO.Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries)
            .Aggregate(root, (parent, name) =>
            {
                var next = System.IO.Path.Combine(parent, name);
                return Directory.ResolveLinkTarget(next, returnFinalTarget: true) is { } target ? RealPath(target.FullName) : next;
            });
    }

    private static FileStream Lock(string folder)
    {
        var file = System.IO.Path.Combine(folder, LockFile);
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult == InUse)
        {
            throw new StartupException(
                $"Another Headstart already uses the data folder '{folder}'; stop it, or set Headstart:DataDirectory to another folder.",
                e);
        }
    }

    private static string ExpandHome(string path)
    {
        if (path != "~" && !path.StartsWith("~/", StringComparison.Ordinal) && !path.StartsWith("~\\", StringComparison.Ordinal))
        {
            return path;
        }

        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return home.Length > 0
            ? System.IO.Path.Join(home, path[1..])
            : throw new IOException("this account has no home folder");
    }
}
